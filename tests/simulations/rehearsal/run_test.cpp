// Whole runs: what holds passes, the same way each time, and each thing that may go wrong is found
// by the check that is made for it.
#include <doctest/doctest.h>

#include <set>
#include <stdexcept>

#include "simulations/models/account_model.hpp"
#include "simulations/rehearsal/rehearsal.hpp"
#include "simulations/rehearsal/watcher.hpp"
#include "tests/simulations/rehearsal/broken_accounts.hpp"

namespace troupe::simulations::testing {
namespace {

using namespace std::chrono_literals;

bank::Money euros(std::int64_t cents) {
  bank::Money money;
  money.set_currency("EUR");
  money.set_minor_units(cents);
  return money;
}

Script customer(Client& client) {
  const std::string account = client.one_in(2) ? "ann" : "bob";
  bank::OpenRequest open;
  open.set_owner("Ann");
  open.set_currency("EUR");
  co_await client.call(bank::AccountsRef{account}.Open(open));
  while (client.running()) {
    bank::DepositRequest request;
    *request.mutable_amount() = euros(static_cast<std::int64_t>(client.between(1, 1000)));
    co_await client.call(bank::AccountsRef{account}.Deposit(request));
    co_await client.wait(client.between(1ms, 40ms));
    co_await client.call(bank::AccountsRef{account}.Get());
  }
}

void declare(Rehearsal& sim, const actors::ServiceRegistry& services) {
  sim.services(services);
  sim.duration(3s);
  sim.model<AccountModel>("banking.v1.Accounts");
  sim.clients(3, customer);
  sim.always("no balance is negative",
             [](const bank::Account& account) { return account.balance().minor_units() >= 0; });
}

Outcome rehearse(const std::function<void(Rehearsal&)>& body, std::uint64_t seed = 1,
                 RunOptions options = {}) {
  options.seed = seed;
  return run(Simulation{"test", "a test", body}, options);
}

Outcome rehearse(Wrong wrong) {
  const auto services = broken_accounts(wrong);
  return rehearse([&](Rehearsal& sim) { declare(sim, services); });
}

std::string check_of(const Outcome& outcome) {
  return outcome.failure ? outcome.failure->check : "none";
}

TEST_CASE("a run that holds says what it did") {
  const auto outcome = rehearse(Wrong::nothing);
  CAPTURE(outcome.log);
  REQUIRE(check_of(outcome) == "none");
  CHECK(outcome.seed == 1);
  CHECK(outcome.hash != 0);
  CHECK(outcome.simulated > 3s);
  CHECK(outcome.acknowledged > 100);
  CHECK(outcome.commands == outcome.acknowledged + outcome.refused + outcome.unknown);
  CHECK(outcome.draw.find("faults=none") != std::string::npos);
  CHECK(outcome.plan.empty());
  CHECK(outcome.log.empty());
  CHECK_FALSE(outcome.marks.empty());
}

TEST_CASE("each thing that a service may do wrong is found by its check") {
  CHECK(check_of(rehearse(Wrong::lost_write)) == "model");
  CHECK(check_of(rehearse(Wrong::doubled_write)) == "model");
  CHECK(check_of(rehearse(Wrong::stale_read)) == "model");
  CHECK(check_of(rehearse(Wrong::impossible_refusal)) == "model");
  CHECK(check_of(rehearse(Wrong::negative_balance)) == "model");
  const auto stalled = rehearse(Wrong::stall);
  CHECK(check_of(stalled) == "liveness");
  CHECK(stalled.failure->what.find("last heard: NOT_NOW") != std::string::npos);
}

TEST_CASE("a failed run has a log with a column per node, and its last events") {
  const auto outcome = rehearse(Wrong::lost_write);
  CHECK(outcome.log.find("| n1 ") != std::string::npos);
  CHECK(outcome.log.find("| clients") != std::string::npos);
  CHECK(outcome.log.find("client 1") != std::string::npos);
}

TEST_CASE("what a scenario says must hold is asked of every reply, and at the end") {
  const auto services = broken_accounts(Wrong::nothing);
  const auto with = [&](auto more) {
    return rehearse([&](Rehearsal& sim) {
      declare(sim, services);
      more(sim);
    });
  };
  CHECK(check_of(with([](Rehearsal& sim) {
          sim.always("nobody is rich", [](const bank::Account& account) {
            return account.balance().minor_units() < 5000;
          });
        })) == "always: nobody is rich");
  const auto at_end = with([](Rehearsal& sim) {
    sim.finally("ann is poor", [](Reading& read) -> Script {
      const auto account = co_await read.call(bank::AccountsRef{"ann"}.Get());
      read.expect(account.ok() && account->balance().minor_units() == 0, "ann holds money");
    });
  });
  CHECK(check_of(at_end) == "finally: ann is poor");
  CHECK(at_end.failure->what == "ann holds money");
}

TEST_CASE("scripts that throw, or go on for ever, fail the run") {
  const auto services = broken_accounts(Wrong::nothing);
  const auto with = [&](Rehearsal::ClientScript script) {
    return rehearse([&](Rehearsal& sim) {
      declare(sim, services);
      sim.clients(1, script);
    });
  };
  const auto thrown = with([](Client& client) -> Script {
    co_await client.wait(1s);
    throw std::runtime_error{"as the test wants it"};
  });
  CHECK(check_of(thrown) == "script");
  CHECK(thrown.failure->what == "client 4 threw: as the test wants it");
  CHECK(thrown.failure->at < 1100ms);
  const auto endless = with([](Client& client) -> Script {
    for (;;) co_await client.wait(10ms);
  });
  CHECK(check_of(endless) == "liveness");
  CHECK(endless.failure->what.find("its script goes on") != std::string::npos);
}

TEST_CASE("a wrong manifest, or a fault for a machine that is not there, is said") {
  RunOptions options;
  options.manifest = "[cluster]\nname = \"x\"\n";
  const auto services = broken_accounts(Wrong::nothing);
  const auto body = [&](Rehearsal& sim) { declare(sim, services); };
  CHECK(check_of(rehearse(body, 1, options)) == "manifest");
  RunOptions plan;
  plan.plan = *parse_fault_plan("1s kill n9 lasts=1s");
  CHECK(check_of(rehearse(body, 1, plan)) == "fault plan");
}

TEST_CASE("one seed gives one run, with all faults and both orders of search") {
  const auto services = broken_accounts(Wrong::nothing);
  const auto body = [&](Rehearsal& sim) {
    declare(sim, services);
    sim.faults(Faults::everything());
  };
  std::set<std::uint64_t> hashes;
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    CAPTURE(seed);
    RunOptions options;
    options.linearizability = true;
    const auto once = rehearse(body, seed, options);
    const auto again = rehearse(body, seed, options);
    CAPTURE(once.log);
    CHECK(check_of(once) == "none");
    CHECK(once.hash == again.hash);
    CHECK(once.events == again.events);
    CHECK(once.plan == again.plan);
    hashes.insert(once.hash);
  }
  CHECK(hashes.size() == 5);
}

TEST_CASE("a plan takes the place of what would be drawn") {
  const auto services = broken_accounts(Wrong::nothing);
  const auto body = [&](Rehearsal& sim) {
    declare(sim, services);
    sim.faults(Faults::everything());
  };
  RunOptions options;
  options.plan = *parse_fault_plan("1s kill n1 lasts=500ms\n2s power_cut n1 lasts=100ms amount=0");
  const auto outcome = rehearse(body, 3, options);
  CAPTURE(outcome.log);
  CHECK(check_of(outcome) == "none");
  CHECK(outcome.plan == *options.plan);
  CHECK(outcome.injected == std::map<std::string, std::uint64_t>{{"kill", 1}, {"power_cut", 1}});
  options.plan.reset();
  options.fault_kinds = {FaultKind::pause};
  options.duration = 20s;
  const auto injected = rehearse(body, 4, options).injected;
  CHECK_FALSE(injected.empty());
  for (const auto& [kind, times] : injected) CHECK(kind == "pause");
}

TEST_CASE("shards that cannot make entities end their node, and all is well again afterwards") {
  const auto services = broken_accounts(Wrong::nothing);
  const auto body = [&](Rehearsal& sim) { declare(sim, services); };
  RunOptions options;
  options.duration = 10s;
  options.plan = *parse_fault_plan(
      "1s shard_fails service=banking.v1.Accounts lasts=4s amount=1000000\n"
      "1s kill n1 lasts=50ms");  // so that entities have to be made
  const auto outcome = rehearse(body, 3, options);
  CAPTURE(outcome.log);
  CHECK(check_of(outcome) == "none");
  CHECK(outcome.injected.at("shard_fails") == 1);
  CHECK(outcome.marks.contains("a child was started again"));
  CHECK(outcome.marks.contains("a supervisor gave up"));
}

TEST_CASE("a draw lists no kinds that cannot happen") {
  const auto services = broken_accounts(Wrong::nothing);
  const auto body = [&](Rehearsal& sim) {
    declare(sim, services);
    sim.faults(Faults::everything());
    sim.duration(50ms);
  };
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const auto drawn = rehearse(body, seed).draw;
    CAPTURE(drawn);
    CHECK(drawn.find("rot_") == std::string::npos);
    CHECK(drawn.find("lost_disk") == std::string::npos);
  }
}

// The worst clocks that faults bring about: the node is behind its clients by more than the 5 s.
// Its entity has more replies than are kept with it, and the command that is repeated is the last
// before a restart, so that time alone could tell that it ran.
TEST_CASE("a command whose id is ahead of the node's clock runs once, also across a restart") {
  const auto services = broken_accounts(Wrong::nothing);
  constexpr const char* long_window =
      "[cluster]\nname = \"rehearsal\"\n\n[[nodes]]\nname = \"n1\"\nmesh = \"n1:7400\"\n"
      "gateway = \"n1:8080\"\nadmin = \"n1:7480\"\ndata = \"/data\"\n\n"
      "[service_defaults]\nidempotency_window = \"1h\"\n";
  RunOptions options;
  std::string plan = "0s clock_offset n1 amount=-5000000\n0s clock_drift n1 amount=-5000\n";
  for (int at = 30; at < 60; ++at) plan += std::to_string(at) + "s kill n1 lasts=100ms\n";
  options.plan = *parse_fault_plan(plan);
  int repeated = 0;
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    CAPTURE(seed);
    const auto outcome = rehearse(
        [&](Rehearsal& sim) {
          sim.services(services);
          sim.duration(60s);
          sim.manifest(long_window);
          sim.model<AccountModel>("banking.v1.Accounts");
          sim.clients(1, [&repeated](Client& client) -> Script {
            bank::OpenRequest open;
            open.set_owner("Ann");
            open.set_currency("EUR");
            co_await client.call(bank::AccountsRef{"ann"}.Open(open));
            bank::DepositRequest request;
            *request.mutable_amount() = euros(1);
            for (int i = 0; i < 40; ++i)
              co_await client.call(bank::AccountsRef{"ann"}.Deposit(request));
            while (client.running()) {
              co_await client.call(bank::AccountsRef{"ann"}.Deposit(request));
              co_await client.wait(2s);  // killed meanwhile
              co_await client.repeat();
              ++repeated;
            }
          });
        },
        seed, options);
    CAPTURE(outcome.log);
    CHECK(check_of(outcome) == "none");
  }
  CHECK(repeated > 60);
}

class Impatient final : public Watcher {
 public:
  explicit Impatient(World& world) : world_(world) {}
  std::optional<Failure> failure() override {
    if (world_.now() < 1s) return std::nullopt;
    return Failure{"watcher", "as the test wants it", world_.now()};
  }

 private:
  World& world_;
};

TEST_CASE("what watches the world may end the run") {
  watchers().push_back([](World& world) { return std::make_unique<Impatient>(world); });
  const auto outcome = rehearse(Wrong::nothing);
  watchers().pop_back();
  CHECK(check_of(outcome) == "watcher");
  CHECK(outcome.simulated < 1100ms);
}

}  // namespace
}  // namespace troupe::simulations::testing
