// Seeds that have failed once, each with what was wrong. They pass, and go on passing.
//
// A seed means the same run only as long as nothing changes what is drawn before the failure. So a
// line here is worth less with time, and a bug that is worth it has a test of its own besides.
#include <doctest/doctest.h>

#include <vector>

#include "simulations/rehearsal/run.hpp"

namespace troupe::simulations {
namespace {

struct Regression {
  const char* simulation;
  std::uint64_t seed;
  const char* what;
};

const std::vector<Regression>& regressions() {
  static const std::vector<Regression> all{
      // Added by hand when `troupe simulate` has found something.
      {"ledger", 1, "the first run of each simulation"},
      {"stock", 1, "the first run of each simulation"},
      {"supervision", 1, "the first run of each simulation"},
  };
  return all;
}

TEST_CASE("seeds that have failed once hold") {
  for (const auto& one : regressions()) {
    CAPTURE(one.simulation);
    CAPTURE(one.seed);
    CAPTURE(one.what);
    const auto* simulation = find_simulation(one.simulation);
    REQUIRE(simulation != nullptr);
    RunOptions options;
    options.seed = one.seed;
    const auto outcome = run(*simulation, options);
    CAPTURE(outcome.draw);
    CAPTURE(outcome.log);
    if (outcome.failure) FAIL_CHECK(outcome.failure->check, ": ", outcome.failure->what);
  }
}

}  // namespace
}  // namespace troupe::simulations
