// How fast one node is rehearsed, and three are, run by hand:
//   build/release/bin/test_ledger --no-skip -tc='speed*'
#include <doctest/doctest.h>

#include <chrono>

#include "simulations/models/account_model.hpp"
#include "simulations/models/cluster_manifest.hpp"
#include "simulations/rehearsal/rehearsal.hpp"

namespace troupe::simulations {
namespace {

using namespace std::chrono_literals;

// Ten deposits a second.
Script depositor(Client& client) {
  const auto account = "account-" + std::to_string(client.between(1, 5));
  bank::OpenRequest open;
  open.set_owner("Ann");
  open.set_currency("EUR");
  co_await client.call(bank::AccountsRef{account}.Open(open));
  bank::DepositRequest request;
  request.mutable_amount()->set_currency("EUR");
  request.mutable_amount()->set_minor_units(1);
  auto next = client.now();
  while (client.running()) {
    co_await client.call(bank::AccountsRef{account}.Deposit(request));
    next += 100ms;
    if (next > client.now()) co_await client.wait(next - client.now());
  }
}

void measure(unsigned nodes) {
  const Simulation steady{"steady", "as fast as it goes", [nodes](Rehearsal& sim) {
                            sim.duration(100s);
                            if (nodes > 1)
                              sim.manifest(cluster_manifest({nodes, nodes}, sim.random()));
                            sim.model<AccountModel>("banking.v1.Accounts");
                            sim.clients(10, depositor);
                          }};
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    RunOptions options;
    options.seed = seed;
    options.linearizability = false;
    const auto begin = std::chrono::steady_clock::now();
    const auto outcome = run(steady, options);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    CHECK_FALSE(outcome.failure);
    MESSAGE(outcome.commands, " commands, ", outcome.events, " events, ",
            std::chrono::duration<double>(outcome.simulated).count() / took.count(),
            " simulated seconds per second; ", outcome.draw);
  }
}

TEST_CASE("speed: one node at 100 commands a simulated second, without faults" * doctest::skip()) {
  measure(1);
}

TEST_CASE("speed: three nodes at 100 commands a simulated second" * doctest::skip()) {
  measure(3);
}

}  // namespace
}  // namespace troupe::simulations
