#include <doctest/doctest.h>

#include <chrono>

#include "simulations/rehearsal/run.hpp"
#include "tests/seeds.hpp"

namespace troupe::simulations {
namespace {

Outcome rehearse(std::uint64_t seed, std::optional<bool> linearizability = {}) {
  const auto* ledger = find_simulation("ledger");
  REQUIRE(ledger != nullptr);
  RunOptions options;
  options.seed = seed;
  options.linearizability = linearizability;
  return run(*ledger, options);
}

TEST_CASE("the ledger holds, and its seeds have faults, retries and unknown ends among them") {
  std::uint64_t faults = 0;
  std::uint64_t unknown = 0;
  constexpr auto seeds = tests::seeds(10);
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const auto outcome = rehearse(seed, seed <= seeds / 2);
    CAPTURE(seed);
    CAPTURE(outcome.draw);
    CAPTURE(outcome.log);
    if (outcome.failure) FAIL_CHECK(outcome.failure->check, ": ", outcome.failure->what);
    CHECK(outcome.acknowledged > 500);
    CHECK_FALSE(outcome.marks.contains("model replay given up"));
    for (const auto& [kind, count] : outcome.injected) faults += count;
    unknown += outcome.unknown;
  }
  CHECK(faults > 5 * seeds);
  CHECK(unknown > seeds);
}

// A short form; many seeds of all faults are for `troupe simulate`.
TEST_CASE("a cluster's ledger holds, also when one of its disks is lost or shards are split") {
  for (const char* const name : {"cluster-ledger", "lost-disk", "split"}) {
    const auto* simulation = find_simulation(name);
    REQUIRE(simulation != nullptr);
    RunOptions options;
    options.seed = 1;
    options.duration = std::chrono::seconds{6};
    options.clients = 2;
    const auto outcome = run(*simulation, options);
    CAPTURE(name);
    CAPTURE(outcome.draw);
    CAPTURE(outcome.log);
    if (outcome.failure) FAIL_CHECK(outcome.failure->check, ": ", outcome.failure->what);
    CHECK(outcome.acknowledged > 50);
    CHECK(outcome.marks.contains("a call went to another node"));
  }
}

TEST_CASE("a cluster that is made of a backup is what the old one was, each shard at its moment") {
  const auto* simulation = find_simulation("backup-restore");
  REQUIRE(simulation != nullptr);
  RunOptions options;
  options.seed = 1;
  options.clients = 2;
  const auto outcome = run(*simulation, options);
  CAPTURE(outcome.draw);
  CAPTURE(outcome.log);
  if (outcome.failure) FAIL_CHECK(outcome.failure->check, ": ", outcome.failure->what);
  CHECK(outcome.marks.contains("a group began behind what a backup held"));
}

TEST_CASE("a cluster of which most is gone goes on from the rest, each shard from one replica") {
  const auto* simulation = find_simulation("recover");
  REQUIRE(simulation != nullptr);
  RunOptions options;
  // A second look came while one replica was about to go on, and another one was ordered to as
  // well.
  options.seed = 69;
  const auto outcome = run(*simulation, options);
  CAPTURE(outcome.draw);
  CAPTURE(outcome.log);
  if (outcome.failure) FAIL_CHECK(outcome.failure->check, ": ", outcome.failure->what);
  CHECK(outcome.injected.at("gone") == 3);
  CHECK(outcome.marks.contains("a replica was made the only voter of its group"));
}

struct ChangingCluster {
  const char* simulation;
  std::uint64_t seed;
  std::vector<const char*> marks;  // that it must reach
};

// Each reaches what the simulation is about.
TEST_CASE("clusters change while they are used, and lose nothing") {
  const std::vector<ChangingCluster> runs{
      {"scale-out",
       2,
       {"a shard began on a node that ran already", "the balancer moved something"}},
      {"drain-under-load", 2, {"a shard ended on a node that goes on"}},
      {"zone-loss", 1, {"a lost replica was removed because its place had gone elsewhere"}},
      {"directory-chaos", 1, {"a keeper of the directory was replaced"}},
      {"rolling-upgrade", 1, {"a replica founded one of a new shard"}},
  };
  for (const auto& one : runs) {
    if (tests::seeds(4) == 1 && &one != &runs.front())
      continue;  // they take long under a sanitizer
    const auto* simulation = find_simulation(one.simulation);
    REQUIRE(simulation != nullptr);
    RunOptions options;
    options.seed = one.seed;
    const auto outcome = run(*simulation, options);
    CAPTURE(std::string{one.simulation});
    CAPTURE(outcome.draw);
    CAPTURE(outcome.log);
    if (outcome.failure) FAIL_CHECK(outcome.failure->check, ": ", outcome.failure->what);
    for (const auto* mark : one.marks) CHECK(outcome.marks.contains(mark));
  }
}

}  // namespace
}  // namespace troupe::simulations
