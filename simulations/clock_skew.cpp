// Wall clocks of three or five nodes are wrong, each in its own way, and step and drift while
// leaders change. Shard time never falls (simulations/checks), and a command that is repeated
// within its window is answered as it was, although the next leader's clock is seconds off.
#include "simulations/models/cluster_manifest.hpp"
#include "simulations/models/ledger_clients.hpp"

namespace troupe::simulations {
namespace {

using namespace std::chrono_literals;

SIMULATION(clock_skew, "wrong clocks neither turn back shard time nor end a window early") {
  using K = FaultKind;
  const auto shape = draw_cluster_shape(sim.random(1));
  sim.faults(Faults::everything()
                 .only({K::clock_offset, K::clock_drift, K::kill, K::pause, K::partition})
                 .always_with({K::clock_offset})
                 .more(K::clock_offset, 4)
                 .more(K::clock_drift, 2)
                 .more(K::kill, 2));
  sim.duration(30s);
  sim.manifest(cluster_manifest(shape, sim.random()));
  declare_ledger(sim, {.customers = 5, .doubters = 8, .collectors = 3});
}

}  // namespace
}  // namespace troupe::simulations
