// The ledger on three or five nodes: clients ask any of them, while nodes crash, are cut off from
// each other, and their disks and clocks fail. At most a minority of each shard's replicas loses
// its disk or rots: such a node comes back as a replacement.
#include "simulations/models/cluster_manifest.hpp"
#include "simulations/models/ledger_clients.hpp"

namespace troupe::simulations {
namespace {

using namespace std::chrono_literals;

SIMULATION(cluster_ledger, "a cluster that loses nodes neither loses nor doubles money") {
  const auto shape = draw_cluster_shape(sim.random(1));
  // Not rot of the log: its newest transaction may be taken for a torn tail, and a vote or an
  // acknowledgement with it (docs/decisions/0002), which no majority makes up for.
  sim.faults(
      Faults::everything().without({FaultKind::rot_log}).harming_at_most((shape.replicas - 1) / 2));
  sim.duration(30s);
  sim.manifest(cluster_manifest(shape, sim.random()));
  declare_ledger(sim, {.spectators = 4});
}

}  // namespace
}  // namespace troupe::simulations
