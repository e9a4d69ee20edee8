// A whole run, in a process that an invariant of the simulator ends.
#include <doctest/doctest.h>

#include "simulations/campaign/crew.hpp"
#include "simulations/models/account_model.hpp"
#include "simulations/rehearsal/rehearsal.hpp"

namespace troupe::simulations {
namespace {

using namespace std::chrono_literals;

TEST_CASE("an invariant that breaks is the check of its run, and says when it broke") {
  const Simulation breaks{
      "breaks", "Breaks an invariant.", [](Rehearsal& sim) {
        sim.model<AccountModel>("banking.v1.Accounts");
        sim.clients(1, [](Client& client) -> Script {
          co_await client.wait(1500ms);
          check_failed("1500000000 ns: replica checks: node n1: entry 12 is gone");
        });
      }};
  const Variation variation{.name = "breaks", .simulation = &breaks};
  Crew crew{{.run = run, .seed_limit = 20s}};
  crew.start(0, variation, {});
  std::map<std::uint64_t, SeedResult> results;
  while (results.empty()) results = crew.wait(1s);
  const auto& result = results.begin()->second;
  REQUIRE(result.failed());
  CHECK(result.died);
  CHECK(result.outcome.failure->check == "invariant: replica checks: node n#: entry # is gone");
  CHECK(result.outcome.failure->what == "1500000000 ns: replica checks: node n1: entry 12 is gone");
  CHECK(result.outcome.failure->at >= 1500ms);
  CHECK(result.outcome.hash != 0);
  CHECK_FALSE(result.outcome.log.empty());
}

}  // namespace
}  // namespace troupe::simulations
