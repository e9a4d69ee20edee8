// One node of three or five loses its disk while clients work, and comes back as a replacement. The
// others go on without its replicas, nothing that was acknowledged is lost, and in the end new
// replicas on it hold all of it.
#include "simulations/models/cluster_manifest.hpp"
#include "simulations/models/ledger_clients.hpp"

namespace troupe::simulations {
namespace {

using namespace std::chrono_literals;

SIMULATION(lost_disk, "a cluster goes on when a disk is lost, and gets new replicas in its place") {
  using K = FaultKind;
  auto random = sim.random(1);
  const auto shape = draw_cluster_shape(sim.random(2));
  const auto nodes = node_names(shape);
  sim.faults(Faults::everything().only(
      {K::kill, K::power_cut, K::pause, K::slow_disk, K::slow_link, K::partition, K::reset_link}));
  sim.incident({.kind = K::lost_disk,
                .at = random.between(2'000, 15'000) * 1ms,
                .lasts = random.between(50, 5'000) * 1ms,
                .node = nodes[random.between(0, nodes.size() - 1)]});
  sim.duration(25s);
  sim.manifest(cluster_manifest(shape, sim.random()));
  declare_ledger(sim);
}

}  // namespace
}  // namespace troupe::simulations
