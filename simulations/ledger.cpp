// Clients that move money, and repeat what was not answered, while the node crashes and its disk
// fails.
#include "simulations/models/ledger_clients.hpp"

namespace troupe::simulations {
namespace {

using namespace std::chrono_literals;

SIMULATION(ledger, "concurrent deposits and withdrawals neither lose nor double money") {
  sim.faults(Faults::everything());
  sim.duration(30s);
  declare_ledger(sim);
}

}  // namespace
}  // namespace troupe::simulations
