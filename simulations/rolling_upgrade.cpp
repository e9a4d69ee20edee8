// A cluster whose nodes run an older version of the program gets a newer one, node after node,
// while clients work: the older one cannot read the format of splits. Until all nodes can, nobody
// splits a shard, whoever asks for it, and a node may go back. Then the format is switched on,
// shards are split, and a node that is started once more with the older version is refused.
//
// In every other seed nothing else goes wrong, and then no request fails all the while.
//
// Always on in a run with several versions (simulations/rehearsal/programs.hpp): what is committed
// never asks more of a node than its program can read.
#include <algorithm>
#include <memory>

#include "cluster/directory/formats.hpp"
#include "cluster/directory/table.hpp"
#include "cluster/gateway/json.hpp"
#include "simulations/models/cluster_manifest.hpp"
#include "simulations/models/cluster_operations.hpp"
#include "simulations/models/ledger_clients.hpp"
#include "simulations/models/service_goes_on.hpp"

namespace troupe::simulations {
namespace {

using namespace std::chrono_literals;
using cluster::DirectoryOrder;
using Formats = std::vector<std::string>;

// A node that is started with the older version once more, when the format is on.
enum class OldAgain : std::uint8_t {
  none,
  told,  // it has heard of the format, and knows so by its own copy of the directory
  away,  // it was away when the format was switched on and used
};

struct Upgrade {
  NodeNames nodes;  // in the order in which they are upgraded
  Duration begins{};
  std::size_t goes_back;           // one does, when so many run the newer version; 0: none
  bool split_switches_on = false;  // else an order of its own
  std::vector<std::uint64_t> splits;
  OldAgain old_again = OldAgain::none;
  bool calm = false;
};

struct Upgraded {
  Duration begun = Duration::max();
  Duration over = Duration::max();
};

DirectoryOrder switch_on_order() {
  DirectoryOrder order;
  order.mutable_switch_on()->set_format(cluster::split_format);
  return order;
}

DirectoryOrder first_split() {
  DirectoryOrder order;
  order.mutable_split()->set_service(moved_service);
  return order;
}

DirectoryOrder first_policy() {
  DirectoryOrder order;
  order.mutable_policy()->set_of(moved_service);
  auto& set = *order.mutable_policy()->add_set();
  set.set_key("limits.batch_commands");
  set.set_value("100");
  return order;
}

// Somebody asks too early. Returns whether the cluster has said no: what was not answered may still
// be on its way when it would be right.
Task<bool> ask_too_early(Operator& at, NodeNames nodes) {
  const std::string node = nodes[at.between(0, nodes.size() - 1)];
  const auto what = at.between(0, 2);
  const auto order = what == 0 ? switch_on_order() : what == 1 ? first_split() : first_policy();
  const auto json = cluster::message_to_json(order);
  const auto body = co_await at.order(node, "/v1/directory", *json);
  if (body) {
    at.complain("formats", "node " + node +
                               " has carried out what needs a format that not all nodes can read");
    co_return true;
  }
  co_return body.error().reason == "FORMAT_NOT_READABLE";
}

bool knows(const std::optional<cluster::DirectoryTable>& table, const std::string& name,
           const Formats& formats) {
  const auto* node = table ? cluster::find_node(*table, name) : nullptr;
  return node != nullptr && node->state() == cluster::DirectoryNode::UP &&
         std::ranges::equal(node->formats(), formats);
}

// Stops it in order, and starts it as that version; until the directory knows what it reads.
Task<void> restart_as(Operator& at, NodeNames nodes, std::string node, Formats formats) {
  co_await at.stop(node);
  at.install(node, formats);
  at.bring_back(node, false);
  for (bool known = false; !known; co_await at.wait(200ms)) {
    const auto table = co_await table_of(at, nodes);
    known = knows(table, node, formats);
  }
}

// Of a node that is gone; by itself, or by what the others tell it.
Task<void> try_the_old_one(Operator& at, std::string node, Duration patience) {
  at.install(node, {});
  at.bring_back(node, false);
  const auto until = at.now() + patience;
  std::string told = "it runs";
  for (;;) {
    const auto why = at.why_down(node);
    if (why && why->reason == "FORMAT_UNREADABLE") break;
    if (why) told = why->describe();
    if (at.now() > until) {
      at.complain("formats", "node " + node + " was started with a version that cannot read what " +
                                 "the cluster uses, and " + seconds_text(patience) +
                                 " later is not refused: " + told);
      break;
    }
    co_await at.wait(50ms);
  }
  co_await at.stop(node);
  at.install(node, cluster::formats_read());
  at.bring_back(node, false);
}

Script roll(Operator& at, Upgrade what, std::shared_ptr<Upgraded> upgraded) {
  const Formats older;
  const Formats newer = cluster::formats_read();
  co_await at.wait(what.begins);
  upgraded->begun = at.now();
  bool all_refused = true;
  for (std::size_t i = 0; i < what.nodes.size(); ++i) {
    const bool refused = co_await ask_too_early(at, what.nodes);
    all_refused = all_refused && refused;
    co_await restart_as(at, what.nodes, what.nodes[i], newer);
    if (i + 1 != what.goes_back || !all_refused) continue;
    const std::string node = what.nodes[at.between(0, i)];
    co_await restart_as(at, what.nodes, node, older);
    const bool again = co_await ask_too_early(at, what.nodes);
    all_refused = all_refused && again;
    co_await restart_as(at, what.nodes, node, newer);
  }
  const std::string tried = what.nodes[at.between(0, what.nodes.size() - 1)];
  if (what.old_again == OldAgain::away) co_await at.stop(tried);
  if (!what.split_switches_on) {
    const auto order = switch_on_order();
    co_await order_anywhere(at, what.nodes, order);
  }
  if (what.old_again == OldAgain::away) {
    const auto order = first_split();
    const auto ordered = co_await order_anywhere(at, what.nodes, order);
    if (!ordered) at.complain("formats", "a split is refused: " + ordered.error().describe());
    co_await at.wait(at.between(0ms, 2s));
    co_await try_the_old_one(at, tried, 40s);
  }
  for (const auto draw : what.splits) co_await split_a_shard(at, what.nodes, draw);
  if (what.old_again == OldAgain::told) {
    co_await at.stop(tried);
    co_await try_the_old_one(at, tried, 40s);
  }
  upgraded->over = at.now();
  while (at.running()) co_await at.wait(200ms);
  co_await come_to_rest(at, what.nodes, false, 150s);
}

SIMULATION(rolling_upgrade,
           "a newer version is installed node after node, and its formats wait for the last one") {
  using K = FaultKind;
  auto random = sim.random(1);
  const ClusterShape shape{.nodes = static_cast<unsigned>(random.between(3, 4)),
                           .replicas = 3,
                           .shards = static_cast<unsigned>(random.between(2, 4))};
  Upgrade what;
  what.nodes = node_names(shape);
  for (std::size_t i = what.nodes.size(); i > 1; --i)
    std::swap(what.nodes[i - 1], what.nodes[random.between(0, i - 1)]);
  what.begins = random.between(500, 5'000) * 1ms;
  what.goes_back = random.between(0, what.nodes.size());
  what.split_switches_on = random.between(0, 1) == 0;
  for (auto i = random.between(1, 2); i > 0; --i) what.splits.push_back(random.between(0, 1'000));
  what.old_again = static_cast<OldAgain>(random.between(0, 2));
  what.calm = random.between(0, 1) == 0;
  for (const auto& node : what.nodes) sim.program_reads(node, {});
  // A cluster may have been made by two versions.
  if (random.between(0, 3) == 0) sim.program_reads(what.nodes.front(), cluster::formats_read());
  const auto upgraded = std::make_shared<Upgraded>();
  // Disks that are lost are others' business.
  sim.faults(what.calm
                 ? Faults::none()
                 : Faults::everything().only({K::kill, K::power_cut, K::power_cut_in_start, K::stop,
                                              K::pause, K::slow_disk, K::slow_link, K::lossy_link,
                                              K::clogged_link, K::partition, K::reset_link,
                                              K::refused, K::clock_offset, K::clock_drift}));
  sim.duration(35s);
  sim.settles_within(240s);
  sim.manifest(cluster_manifest(shape, sim.random()) + limits_for_calm(what.calm));
  declare_ledger(sim, {.customers = 5, .doubters = 2, .collectors = 2});
  sim.operated([what, upgraded](Operator& at) { return roll(at, what, upgraded); }, false);
  declare_unnoticed(sim, what.calm, "no request fails while the program is upgraded",
                    [upgraded](const Past&) {
                      return Unnoticed{upgraded->begun, upgraded->over, upgraded->begun,
                                       "the program was upgraded"};
                    });
}

}  // namespace
}  // namespace troupe::simulations
