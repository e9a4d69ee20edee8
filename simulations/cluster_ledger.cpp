// The ledger on three or five nodes: clients ask any of them, while they crash.
#include "simulations/models/cluster_manifest.hpp"
#include "simulations/models/ledger_clients.hpp"

namespace troupe::simulations {
namespace {

using namespace std::chrono_literals;

SIMULATION(cluster_ledger, "a cluster that loses nodes neither loses nor doubles money") {
  sim.faults(Faults::everything().only({FaultKind::kill}));
  sim.duration(30s);
  sim.manifest(cluster_manifest({}, sim.random()));
  declare_ledger(sim);
}

}  // namespace
}  // namespace troupe::simulations
