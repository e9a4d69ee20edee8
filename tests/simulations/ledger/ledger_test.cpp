#include <doctest/doctest.h>

#include <cstdlib>

#include "simulations/rehearsal/run.hpp"

namespace troupe::simulations {
namespace {

Outcome rehearse(std::uint64_t seed) {
  const auto* ledger = find_simulation("ledger");
  REQUIRE(ledger != nullptr);
  RunOptions options;
  options.seed = seed;
  return run(*ledger, options);
}

TEST_CASE("the ledger holds on every seed") {
  const auto first = std::getenv("FIRST") ? std::strtoull(std::getenv("FIRST"), nullptr, 10) : 1;
  const auto count = std::getenv("SEEDS") ? std::strtoull(std::getenv("SEEDS"), nullptr, 10) : 10;
  for (auto seed = first; seed < first + count; ++seed) {
    CAPTURE(seed);
    const auto outcome = rehearse(seed);
    CAPTURE(outcome.draw);
    MESSAGE(seed, " ", outcome.commands, " ", outcome.acknowledged, " ", outcome.refused, " ",
            outcome.unknown, " ", outcome.draw);
    if (outcome.failure) {
      MESSAGE(outcome.log);
      FAIL_CHECK(outcome.failure->check, ": ", outcome.failure->what);
    }
  }
}

}  // namespace
}  // namespace troupe::simulations
