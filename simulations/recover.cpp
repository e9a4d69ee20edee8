// A majority of the replicas is gone for good: two nodes of three or five, or three of five, at
// once or one after the other. An operator lets the survivors go on with what `troupe recover`
// decides and orders, and later brings the others back: with empty disks, or with all that they
// had.
//
// What may be lost is what was committed and is in the log of no survivor, and nothing else; what
// was never acknowledged may take effect, once. Always on (simulations/checks): the replica that
// goes on has every committed entry that a survivor has, and nobody leads for the old majority any
// more. Answers that rest on what was lost count as never given, and the model holds for the rest.
//
// In most seeds survivors lag before: one is cut off, or hears late from those that will be gone.
#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "cluster/gateway/json.hpp"
#include "cluster/hosted.hpp"
#include "cluster/recovery/recovery_plan.hpp"
#include "simulations/models/cluster_manifest.hpp"
#include "simulations/models/ledger_clients.hpp"

namespace troupe::simulations {
namespace {

using namespace std::chrono_literals;
using Names = std::vector<std::string>;

constexpr const char* recovery_page = "/v1/recovery";
// From the order to the first acknowledged command of each shard.
constexpr Duration served_again = 10s;

struct Catastrophe {
  Names lost;
  Names left;
  Duration complete{};   // when the last one is gone
  Duration noticed{};    // when the operator acts
  Duration alone_for{};  // until the others are brought back
  std::set<std::string> emptied;
  bool one_by_one = false;  // each waits until the one before takes part in everything again

  Names all() const {
    Names names = left;
    names.insert(names.end(), lost.begin(), lost.end());
    return names;
  }
};

// Of all of these nodes, or nothing.
Task<std::vector<cluster::RecoveryView>> look(Operator& at, Names nodes) {
  std::vector<cluster::RecoveryView> views;
  for (const auto& node : nodes) {
    const auto body = co_await at.ask(node, recovery_page);
    cluster::RecoveryView view;
    if (!body || !cluster::json_to_message(*body, view)) {
      views.clear();
      break;
    }
    views.push_back(std::move(view));
  }
  co_return views;
}

// Until two looks find nothing to do: a leader that stood still may not know yet that it is none.
Task<void> recover(Operator& at, Names left, Names lost) {
  for (int idle = 0; idle < 2;) {
    const auto views = co_await look(at, left);
    const auto plan = cluster::plan_recovery(views, lost);
    idle = !views.empty() && plan && plan->groups.empty() ? idle + 1 : 0;
    for (const auto& view : views) {
      if (!plan || idle > 0) break;
      const auto request = cluster::order_of(*plan, view, lost);
      if (request.acts_size() == 0) continue;
      const auto json = cluster::message_to_json(request);
      co_await at.order(view.node(), recovery_page, *json);
    }
    co_await at.wait(idle > 0 ? 1s : 300ms);
  }
}

// Whether every replica of these nodes votes, as the leaders of their groups see it.
bool all_take_part(const std::vector<cluster::RecoveryView>& views) {
  std::map<std::pair<std::string, std::uint32_t>, std::set<std::uint64_t>> voters;
  for (const auto& view : views)
    for (const auto& group : view.groups())
      if (group.role() == "leader")
        for (const auto& voter : group.voters())
          voters[{group.service(), group.shard()}].insert(voter.replica());
  return !views.empty() && std::ranges::all_of(views, [&](const cluster::RecoveryView& view) {
    return view.silent_size() == 0 &&
           std::ranges::all_of(view.groups(), [&](const cluster::RecoveryGroup& group) {
             return voters[{group.service(), group.shard()}].contains(group.replica());
           });
  });
}

Task<void> wait_for_all(Operator& at, Names nodes) {
  for (bool all = false; !all;) {
    co_await at.wait(300ms);
    const auto views = co_await look(at, nodes);
    all = all_take_part(views);
  }
}

Script operate(Operator& at, Catastrophe what) {
  co_await at.wait(what.noticed - at.now());
  Names gone = what.lost;
  std::erase_if(gone, [&](const std::string& node) { return !at.is_gone(node); });
  const bool as_planned = gone == what.lost;
  if (as_planned) {
    co_await recover(at, what.left, what.lost);
    co_await at.wait(what.alone_for);
    if (what.one_by_one) co_await wait_for_all(at, what.left);
  }
  for (const auto& node : gone) {
    at.bring_back(node, as_planned && what.emptied.contains(node));
    if (!as_planned || !what.one_by_one) continue;
    Names up = what.all();
    std::erase_if(up, [&](const std::string& one) { return at.is_gone(one); });
    co_await wait_for_all(at, std::move(up));
  }
}

bool is_of(const Operation& operation, runtime::GroupId group) {
  return operation.outcome == Operation::Outcome::success && operation.position &&
         cluster::group_of(operation.service->name, operation.position->shard) == group;
}

std::optional<Failure> nothing_without_majority(const Catastrophe& what, const Past& past) {
  for (const auto& [group, since] : past.alone)
    for (const auto& operation : past.history.all())
      if (is_of(operation, group) && operation.invoked > what.complete + 1s &&
          operation.returned < since)
        return Failure{{},
                       operation.text() + " succeeded after most of its replicas were gone, at " +
                           seconds_text(what.complete) + ", and before one went on alone, at " +
                           seconds_text(since),
                       operation.returned};
  return std::nullopt;
}

std::optional<Failure> service_goes_on(const Past& past) {
  for (const auto& [group, since] : past.alone) {
    const bool found = std::ranges::any_of(past.history.all(), [&](const Operation& operation) {
      return is_of(operation, group) && !operation.read_only() && operation.invoked > since &&
             operation.returned < since + served_again;
    });
    std::set<std::string> keys;
    for (const auto& operation : past.history.all())
      if (is_of(operation, group)) keys.insert(operation.key);
    const bool asked = std::ranges::any_of(past.history.all(), [&](const Operation& operation) {
      return keys.contains(operation.key) && !operation.read_only() && operation.invoked > since &&
             operation.invoked < since + served_again / 2;
    });
    if (asked && !found && since + served_again < past.healed)
      return Failure{{},
                     "no command of group " + std::to_string(group) + " was acknowledged within " +
                         seconds_text(served_again) + " after " + seconds_text(since) +
                         ", when a replica of it went on alone",
                     since + served_again};
  }
  return std::nullopt;
}

// Survivors that do not have what the others have when those are gone.
void let_survivors_lag(Rehearsal& sim, RandomStream& random, const Catastrophe& what) {
  using K = FaultKind;
  const auto how = random.between(0, 3);
  const auto& victim = what.left[random.between(0, what.left.size() - 1)];
  const Duration lasts = random.between(100, 2'500) * 1ms;
  const auto amount = static_cast<std::int64_t>(random.between(5'000, 100'000));
  for (const auto& other : what.all()) {
    const bool lost = std::ranges::find(what.lost, other) != what.lost.end();
    if (other == victim || (how == 2 && !lost)) continue;
    if (how == 1 || how == 2)
      sim.incident({.kind = K::partition,
                    .at = what.complete - lasts,
                    .lasts = lasts + 100ms,
                    .node = victim,
                    .peer = other});
    if (how == 3 && lost)
      for (const auto& survivor : what.left)
        sim.incident({.kind = K::slow_link,
                      .at = what.complete - lasts,
                      .lasts = lasts + 100ms,
                      .node = other,
                      .peer = survivor,
                      .amount = amount});
  }
}

SIMULATION(recover, "when a majority is gone for good, the rest goes on with all that it has") {
  using K = FaultKind;
  auto random = sim.random(1);
  const auto draw = random.between(0, 5);
  const ClusterShape shape = draw < 3 ? ClusterShape{} : ClusterShape{5, draw < 5 ? 5U : 3U};
  const auto nodes = node_names(shape);
  const auto first = random.between(0, nodes.size() - 1);
  const std::size_t count = shape.replicas == 5 ? 3 : 2;
  Catastrophe what;
  for (std::size_t i = 0; i < nodes.size(); ++i)
    (i < count ? what.lost : what.left).push_back(nodes[(first + i) % nodes.size()]);
  what.complete = random.between(4'000, 9'000) * 1ms;
  const Duration spread = random.between(0, 1) * random.between(1, 1'500) * 1ms;
  for (std::size_t i = 0; i < count; ++i)
    sim.incident({.kind = K::gone,
                  .at = what.complete - spread * static_cast<int>(i) / static_cast<int>(count),
                  .node = what.lost[i]});
  let_survivors_lag(sim, random, what);
  what.noticed = what.complete + random.between(1'000, 5'000) * 1ms;
  // In the midst of the recovery something happens to a survivor as well; of two, none dies.
  constexpr K accidents[] = {K::kill, K::power_cut, K::pause};
  const auto accident = random.between(0, 5);
  const Fault fault{.kind = what.left.size() == 2 ? K::pause : accidents[accident % 3],
                    .at = what.noticed - 200ms + random.between(0, 600) * 1ms,
                    .lasts = random.between(50, 1'500) * 1ms,
                    .node = what.left[random.between(0, what.left.size() - 1)]};
  if (accident < 3) sim.incident(fault);
  what.alone_for = random.between(500, 8'000) * 1ms;
  what.one_by_one = random.between(0, 1) == 0;
  for (const auto& node : what.lost)
    if (random.between(0, 1) == 0) what.emptied.insert(node);
  // All at once, as they were, the others are a majority that finds itself while it does not hear
  // the one that went on: the network must be whole then (docs/operations.md).
  const auto mix = Faults::everything().only(
      {K::slow_disk, K::slow_link, K::reset_link, K::clock_offset, K::clock_drift});
  sim.faults(what.one_by_one ? mix : mix.without({K::slow_link, K::reset_link}));
  sim.duration(what.noticed + what.alone_for + 14s);
  sim.manifest(cluster_manifest(shape, sim.random()));
  declare_ledger(sim, {.customers = 6, .doubters = 3});
  sim.operated([what](Operator& at) { return operate(at, what); });
  sim.in_hindsight("nothing is acknowledged without a majority",
                   [what](const Past& past) { return nothing_without_majority(what, past); });
  sim.in_hindsight("service goes on from the survivors", service_goes_on);
}

}  // namespace
}  // namespace troupe::simulations
