// A day, and two hours of the night after it, in twenty minutes: the load rises in the morning, is
// highest at noon, and falls in the evening; an operator asks every few seconds how much the
// cluster should have, and has nodes join or drains, stops and removes them, as an autoscaler
// would. Processor time is modelled: each message that an actor handles counts (ProcessorTimes).
//
// Nothing else goes wrong. No request fails after the first hour; the load is never more than the
// nodes can carry for longer than it takes to add some; at night they have gone again; and how
// often their number changes is bounded.
#include <algorithm>
#include <array>
#include <cmath>
#include <memory>

#include "simulations/models/account_client.hpp"
#include "simulations/models/account_model.hpp"
#include "simulations/models/cluster_manifest.hpp"
#include "simulations/models/cluster_operations.hpp"
#include "simulations/models/service_goes_on.hpp"

namespace troupe::simulations {
namespace {

using namespace std::chrono_literals;
using bank::AccountsRef;

constexpr unsigned shoppers = 16;
constexpr Duration hour = 45s;
constexpr Duration tick = 250ms;  // a shopper thinks so often whether to buy something

// Requests in a second, of all clients together.
struct Day {
  double peak = 0;
  Duration late{};  // it begins so much later

  double rate(Duration at) const {
    struct Point {
      double hour;
      double share;
    };
    constexpr std::array<Point, 9> curve{{{0, 0.08},
                                          {5, 0.08},
                                          {8, 0.45},
                                          {11, 0.9},
                                          {12, 1.0},
                                          {14, 0.85},
                                          {17, 0.7},
                                          {21, 0.08},
                                          {100, 0.08}}};
    const double now =
        std::chrono::duration<double>(at - late) / std::chrono::duration<double>(hour);
    const auto next = std::ranges::find_if(curve, [&](const Point& one) { return one.hour > now; });
    if (next == curve.begin()) return peak * next->share;
    const auto before = next - 1;
    const double part = (now - before->hour) / (next->hour - before->hour);
    return peak * (before->share + part * (next->share - before->share));
  }
};

struct Growing {
  NodeNames founders;
  NodeNames spares;
};

// What the operator saw and did.
struct Followed {
  std::size_t most = 0;
  unsigned changes = 0;
  unsigned overloaded = 0;  // looks in a row
  double worst = 0;         // part of all processors that was busy
  Duration stopping = Duration::max();
};

Script shopper(Client& client, Day day) {
  const std::string account = "account of " + client.name();
  bank::OpenRequest open;
  open.set_owner(client.name());
  open.set_currency("EUR");
  co_await client.call(AccountsRef{account}.Open(open));
  const double ticks_a_second = shoppers / std::chrono::duration<double>(tick).count();
  while (client.running()) {
    co_await client.wait(client.between(0ms, 2 * tick));
    const auto chance = static_cast<std::uint64_t>(1e6 * day.rate(client.now()) / ticks_a_second);
    if (client.between(1, 1'000'000) > chance) continue;
    if (client.one_in(5)) {
      co_await client.call(AccountsRef{account}.Get());
      continue;
    }
    bank::DepositRequest deposit;
    *deposit.mutable_amount() = euros(static_cast<std::int64_t>(client.between(1, 1'000)));
    co_await client.call(AccountsRef{account}.Deposit(deposit));
  }
}

Task<std::optional<cluster::AdviceReport>> advice_of(Operator& at, NodeNames nodes) {
  cluster::DirectoryOrder order;
  order.mutable_question()->set_advice(true);
  const auto outcome = co_await order_anywhere(at, nodes, order);
  std::optional<cluster::AdviceReport> report;
  if (outcome && outcome->advice().nodes() > 0) report = outcome->advice();
  co_return report;
}

Task<void> take_away(Operator& at, NodeNames others, std::string node,
                     std::shared_ptr<Followed> followed) {
  co_await drain(at, others, node);
  followed->stopping = std::min(followed->stopping, at.now());
  co_await at.stop(node);
  const auto order = remove_order(node);
  const auto removed = co_await order_anywhere(at, others, order);
  if (!removed)
    at.complain("autoscale", node + " cannot be removed: " + removed.error().describe());
}

void look(Operator& at, const cluster::AdviceReport& report, Followed& followed) {
  double busy = 0;
  for (const auto& service : report.services()) busy += service.cores_now();
  const double part = busy / std::max(1u, report.nodes_now());
  // A node that joins counts after 10 s, and reports are means of as much.
  constexpr unsigned looks_max = 6;
  followed.overloaded = part > 1 ? followed.overloaded + 1 : 0;
  if (followed.overloaded == looks_max)
    at.complain("autoscale", "the load is more than " + std::to_string(report.nodes_now()) +
                                 " nodes can carry, and " + std::to_string(report.nodes()) +
                                 " are advised only now");
  followed.worst = std::max(followed.worst, part);
}

Script follow(Operator& at, Growing what, std::shared_ptr<Followed> followed) {
  NodeNames live = what.founders;
  NodeNames spares = what.spares;
  followed->most = live.size();
  while (at.running()) {
    co_await at.wait(5s);
    const auto report = co_await advice_of(at, live);
    if (!report) continue;
    look(at, *report, *followed);
    if (report->nodes() > live.size()) {
      if (spares.empty()) {
        at.complain("autoscale", std::to_string(report->nodes()) + " nodes are advised");
        co_return;
      }
      const std::string node = spares.front();
      spares.erase(spares.begin());
      co_await join(at, live, node);
      live.push_back(node);
      ++followed->changes;
      followed->most = std::max(followed->most, live.size());
    } else if (report->nodes() < live.size() && live.size() > what.founders.size()) {
      const std::string node = live.back();
      live.pop_back();
      co_await take_away(at, live, node, followed);
      ++followed->changes;
    }
  }
  co_await come_to_rest(at, live, false, 120s);
  if (live.size() != what.founders.size())
    at.complain("autoscale", std::to_string(live.size()) + " nodes are still there at night");
  const auto more = static_cast<unsigned>(followed->most - what.founders.size());
  // What a request costs differs between runs; a day may be a quiet one.
  if (more == 0 && followed->worst > 0.7)
    at.complain("autoscale", "at noon there were no more nodes, of which " +
                                 std::to_string(std::lround(100 * followed->worst)) +
                                 " % were busy");
  // The load is drawn: an advice may be taken back, more often the more nodes there are.
  if (followed->changes > 3 * more + 4)
    at.complain("autoscale", std::to_string(followed->changes) + " changes for " +
                                 std::to_string(more) + " nodes more at noon");
}

SIMULATION(autoscale, "nodes come and go with the load of a day, as the cluster advises") {
  auto random = sim.random(1);
  const ClusterShape shape{
      .nodes = 16, .replicas = 3, .shards = static_cast<unsigned>(random.between(4, 8))};
  Growing what;
  for (const auto& node : node_names(shape))
    (what.founders.size() < 3 ? what.founders : what.spares).push_back(node);
  Day day;
  day.peak = static_cast<double>(random.between(80, 95)) / 10;
  day.late = random.between(0, 30'000) * 1ms;
  const auto followed = std::make_shared<Followed>();
  sim.latecomers({what.spares.begin(), what.spares.end()});
  sim.processors({.processors = 1, .message = 12ms});
  sim.faults(Faults::none());
  sim.duration(26 * hour);
  sim.settles_within(200s);
  sim.manifest(cluster_manifest(shape, sim.random()) + limits_for_calm(true) +
               "\n[balancer]\nadvice_hold = \"60s\"\n");
  sim.model<AccountModel>("banking.v1.Accounts");
  sim.clients(shoppers, [day](Client& client) { return shopper(client, day); });
  sim.operated([what, followed](Operator& at) { return follow(at, what, followed); }, false);
  declare_unnoticed(
      sim, true, "no request fails while nodes come and go", [followed](const Past& past) {
        return Unnoticed{hour, past.healed, followed->stopping, "nodes came and went"};
      });
}

}  // namespace
}  // namespace troupe::simulations
