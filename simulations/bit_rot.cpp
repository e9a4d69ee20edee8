// Clients deposit and read while bits of the node's files flip, in the midst of crashes. A flipped
// bit is harmless, or it is found: the node stops itself with DATA_LOSS and the name of the file.
// Never is anything answered that the model refutes: neither wrong data, nor data without what was
// acknowledged before.
//
// A node that has found rot does not serve again, so that a run may end with a node that is down.
//
// One loss is tolerated, which is a known gap of the log (docs/decisions/0002): of a log whose
// bytes rotted, the newest commit may be gone after the next start, for it cannot be told from the
// torn tail of a power cut. The always-on checks see to it that it is no more than this commit
// (simulations/checks), and the model then goes on without what was acknowledged on its strength.
// Rot in shard files may lose nothing.
//
// SQLite reads a page once and keeps it, so that rot shows after the next start alone: nodes are
// killed often, an auditor reads statements all the time, and at the end, after one more start,
// everything is read.
#include "simulations/models/account_client.hpp"

namespace troupe::simulations {
namespace {

using namespace std::chrono_literals;

Script auditor(Client& client) {
  while (client.running()) {
    co_await read_statement_of(client, any_account(client), 500);
    co_await client.wait(client.between(200ms, 1s));
  }
}

SIMULATION(bit_rot, "a rotten byte is harmless or found, and never served") {
  using K = FaultKind;
  sim.faults(Faults::everything()
                 .only({K::rot_log, K::rot_shard, K::kill, K::power_cut, K::power_cut_in_start,
                        K::slow_disk})
                 .always_with({K::kill, K::rot_shard})
                 .with_data_loss()
                 .more(K::rot_log, 2)
                 .more(K::rot_shard, 6)
                 .more(K::kill, 6)
                 .more(K::power_cut, 4)
                 .more(K::power_cut_in_start, 2));
  sim.duration(20s);
  sim.manifest(busy_disk_manifest(sim.random()));
  sim.model<AccountModel>("banking.v1.Accounts");
  sim.clients(5, depositor);
  sim.clients(3, reader);
  sim.clients(1, auditor);
  sim.finally("accounts and statements are what was acknowledged", every_account);
}

}  // namespace
}  // namespace troupe::simulations
