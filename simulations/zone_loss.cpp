// Five or six nodes in three zones, every shard with a replica in each. A whole zone fails at once:
// its machines die, lose their power, or are cut off from all others; for a while, or for good.
// Nothing that was acknowledged is lost and clients are served all the time; after the delay the
// replicas are repaired in the zones that are left. When the zone comes back, what it holds is old:
// no replica of it votes or deletes what it must not (simulations/checks), and it gets its share
// again.
#include <algorithm>
#include <set>

#include "cluster/group_of.hpp"
#include "simulations/models/cluster_manifest.hpp"
#include "simulations/models/cluster_operations.hpp"
#include "simulations/models/ledger_clients.hpp"
#include "simulations/models/service_goes_on.hpp"

namespace troupe::simulations {
namespace {

using namespace std::chrono_literals;

struct ZoneLoss {
  NodeNames all;
  NodeNames lost;
  Duration at{};
  Duration away{};     // 0: for good
  bool gone = false;   // the machines, until the operator brings them back
  bool empty = false;  // ... with empty disks
  unsigned shards = 0;

  NodeNames left() const {
    NodeNames names = all;
    for (const auto& node : lost) std::erase(names, node);
    return names;
  }
};

// Of no shard the majority fails with the zone.
void check_spread(Operator& at, const ZoneLoss& what) {
  for (std::uint32_t shard = 0; shard < what.shards; ++shard) {
    const auto voters = at.voters(cluster::group_of(moved_service, shard));
    const auto lost = std::ranges::count_if(
        what.lost, [&](const std::string& node) { return voters.contains(node); });
    if (lost > 1)
      at.complain("zones", "shard " + std::to_string(shard) + " has " + std::to_string(lost) +
                               " of its replicas in one zone of three");
  }
}

Script await_repair(Operator& at, ZoneLoss what) {
  co_await at.wait(what.at - 1ms - at.now());
  check_spread(at, what);
  co_await at.wait(what.at + what.away - at.now() + 1ms);
  const bool lost =
      std::ranges::all_of(what.lost, [&](const std::string& node) { return at.is_gone(node); });
  if (what.gone && (!lost || what.away > 0s))
    for (const auto& node : what.lost)
      if (at.is_gone(node)) at.bring_back(node, lost && what.empty);
  while (at.running()) co_await at.wait(200ms);
  const bool for_good = what.gone && lost && what.away == 0s;
  const auto live = for_good ? what.left() : what.all;
  co_await come_to_rest(at, live, true, 150s);
}

SIMULATION(zone_loss,
           "a whole zone fails, for good or for a while, and the others make up for it") {
  using K = FaultKind;
  auto random = sim.random(1);
  const bool six = random.between(0, 3) == 0;
  ClusterShape shape{.nodes = six ? 6U : 5U,
                     .replicas = 3,
                     .shards = static_cast<unsigned>(random.between(2, 5)),
                     .zones = {"a", "a", "b", "b", "c"},
                     .repair_after = random.between(1'000, 5'000) * 1ms};
  if (six) shape.zones.emplace_back("c");
  ZoneLoss what;
  what.all = node_names(shape);
  what.shards = shape.shards;
  const std::string zone = shape.zones[random.between(0, shape.nodes - 1)];
  for (std::size_t i = 0; i < what.all.size(); ++i)
    if (shape.zones[i] == zone) what.lost.push_back(what.all[i]);
  what.at = random.between(3'000, 12'000) * 1ms;
  const auto how = random.between(0, 4);
  const auto away = random.between(2'000, 25'000) * 1ms;
  what.gone = how < 3;
  what.away = how == 0 ? 0s : away;
  what.empty = how == 1 && what.lost.size() == 1;
  constexpr K kinds[] = {K::gone, K::gone, K::gone, K::power_cut, K::partition};
  for (const auto& node : what.lost) {
    if (kinds[how] != K::partition) {
      sim.incident({.kind = kinds[how], .at = what.at, .lasts = away, .node = node});
      continue;
    }
    for (const auto& other : what.left())
      sim.incident(
          {.kind = K::partition, .at = what.at, .lasts = away, .node = node, .peer = other});
  }
  sim.faults(Faults::everything().only(
      {K::slow_disk, K::slow_link, K::reset_link, K::lossy_link, K::clock_offset, K::clock_drift}));
  sim.duration(what.at + std::max<Duration>(what.away, 8s) + 6s);
  sim.settles_within(180s);
  sim.manifest(cluster_manifest(shape, sim.random()) + "\n[gateway]\nrequest_timeout = \"2s\"\n");
  declare_ledger(sim, {.customers = 4, .doubters = 2, .collectors = 1});
  declare_service_goes_on(sim, 15s);
  sim.operated([what](Operator& at) { return await_repair(at, what); }, false);
}

}  // namespace
}  // namespace troupe::simulations
