// The ledger on three or five nodes: clients ask any of them, while nodes crash, are cut off from
// each other, and their disks and clocks fail. At most a minority of each shard's replicas loses
// its disk or rots: such a node comes back as a replacement.
//
// In one seed of three a node is in a crash loop for some seconds besides. Spectators read the same
// few accounts all the time: whatever the node that they ask takes itself for.
#include "simulations/models/cluster_manifest.hpp"
#include "simulations/models/crash_loop.hpp"
#include "simulations/models/ledger_clients.hpp"

namespace troupe::simulations {
namespace {

using namespace std::chrono_literals;

SIMULATION(cluster_ledger, "a cluster that loses nodes neither loses nor doubles money") {
  const auto shape = draw_cluster_shape(sim.random(1));
  sim.faults(Faults::everything());
  auto random = sim.random(2);
  if (random.between(0, 2) == 0) {
    const Duration from = random.between(3'000, 18'000) * 1ms;
    const Duration lasts = random.between(4'000, 8'000) * 1ms;
    declare_crash_loop(sim, shape, sim.random(3), from, from + lasts);
  }
  sim.duration(30s);
  sim.manifest(cluster_manifest(shape, sim.random()));
  declare_ledger(sim, {.spectators = 4});
}

}  // namespace
}  // namespace troupe::simulations
