// The fewest faults with which a seed still fails.
#include "simulations/campaign/shrink.hpp"

#include <algorithm>
#include <set>

#include "simulations/campaign/ddmin.hpp"
#include "toys.hpp"

namespace troupe::simulations {
namespace {

SeedResult failed_run(const Variation& variation, std::uint64_t seed,
                      const RunFunction& run = run_toy) {
  Crew crew{{.run = run, .seed_limit = 20s}};
  RunOptions options = variation.options;
  options.seed = seed;
  crew.start(0, variation, options);
  for (;;)
    if (auto results = crew.wait(1s); !results.empty()) return std::move(results.begin()->second);
}

Shrunk shrunk(const SeedResult& failed, unsigned jobs, std::uint64_t runs_max = 500) {
  const Interruption interruption;
  return shrink(failed, {.crew = toy_crew(jobs), .runs_max = runs_max}, interruption, {});
}

// Tries parts one after the other.
TryParts one_by_one(const std::function<bool(const Part&)>& does_it, std::size_t* tries = nullptr) {
  return [=](const std::vector<Part>& parts) -> Trial {
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (tries) ++*tries;
      if (does_it(parts[i])) return {i, false};
    }
    return {};
  };
}

bool contains_all(const Part& part, const Part& wanted) {
  return std::includes(part.begin(), part.end(), wanted.begin(), wanted.end());
}

}  // namespace

TEST_CASE("delta debugging finds exactly the elements that are needed") {
  for (const Part& needed :
       {Part{0}, Part{99}, Part{3, 4}, Part{0, 50, 99}, Part{10, 11, 12, 77}}) {
    std::size_t tries = 0;
    const Minimum minimum = ddmin(
        100, one_by_one([&](const Part& part) { return contains_all(part, needed); }, &tries));
    CHECK(minimum.part == needed);
    CHECK(minimum.proven);
    CHECK(tries < 200);
  }
}

TEST_CASE("delta debugging tries nothing at all first") {
  std::vector<Part> tried;
  const Minimum minimum = ddmin(8, [&](const std::vector<Part>& parts) -> Trial {
    tried.insert(tried.end(), parts.begin(), parts.end());
    return {0, false};
  });
  CHECK(minimum.part.empty());
  CHECK(tried == std::vector<Part>{{}});
}

TEST_CASE("where every element is needed, delta debugging keeps them all and tries none twice") {
  std::set<Part> tried;
  const Minimum minimum = ddmin(9, one_by_one([&](const Part& part) {
                                  CHECK(tried.insert(part).second);
                                  return part.size() == 9;
                                }));
  CHECK(minimum.part.size() == 9);
  CHECK(minimum.proven);
}

TEST_CASE("a result of delta debugging that met a bound is not called minimal") {
  std::size_t tries = 0;
  const Minimum minimum = ddmin(64, [&](const std::vector<Part>& parts) -> Trial {
    if (tries++ == 2) return {std::nullopt, true};
    for (std::size_t i = 0; i < parts.size(); ++i)
      if (contains_all(parts[i], {5})) return {i, false};
    return {};
  });
  CHECK(!minimum.proven);
  CHECK(contains_all(minimum.part, {5}));
  CHECK(minimum.part.size() < 64);
}

TEST_CASE("shrinking leaves the two faults that a failure needs, for any number of jobs") {
  const Variation variation = varied("fragile");
  const SeedResult failed = failed_run(variation, 4);
  REQUIRE(failed.failed());
  const Shrunk one = shrunk(failed, 1);
  CHECK(one.end == ShrinkEnd::minimal);
  CHECK(one.from == 8);
  CHECK(one.plan == FaultPlan{toy_plan(4)[2], toy_plan(4)[5]});
  CHECK(one.result.outcome.plan == one.plan);
  CHECK(one.result.outcome.failure->check == "model");
  const Shrunk three = shrunk(failed, 3);
  CHECK(three.plan == one.plan);
  CHECK(three.runs == one.runs);
}

TEST_CASE("shrinking says when no fault is needed") {
  const Variation variation = varied("ledger");
  const Shrunk result = shrunk(failed_run(variation, 7), 2);
  CHECK(result.end == ShrinkEnd::minimal);
  CHECK(result.plan.empty());
  CHECK(result.runs == 2);
}

TEST_CASE("a run whose process dies is shrunk like any other") {
  const Variation variation = varied("aborts");
  const SeedResult failed = failed_run(variation, 13);
  REQUIRE(failed.died);
  const Shrunk result = shrunk(failed, 2);
  CHECK(result.end == ShrinkEnd::minimal);
  CHECK(result.plan.empty());
}

TEST_CASE("shrinking keeps to the invariant that broke, among processes that all abort") {
  const RunFunction breaks = [](const Simulation&, const RunOptions& options) -> Outcome {
    Outcome outcome;
    outcome.draw = "drawn";
    outcome.plan = options.plan.value_or(toy_plan(options.seed));
    options.so_far(outcome);
    const bool killed = has(outcome.plan, FaultKind::kill);
    outcome.failure = Failure{killed ? "invariant: order" : "invariant: sum", "as it does", 1s};
    options.so_far(outcome);
    std::abort();
  };
  const Variation variation = varied("calm");
  const SeedResult failed = failed_run(variation, 4, breaks);
  REQUIRE(failed.died);
  REQUIRE(failed.failed());
  CHECK(failed.outcome.failure->check == "invariant: order");
  CHECK(failed.outcome.failure->what == "as it does");
  const Interruption interruption;
  const Shrunk result = shrink(failed, {.crew = {.run = breaks, .jobs = 2}}, interruption, {});
  CHECK(result.end == ShrinkEnd::minimal);
  CHECK(result.plan == FaultPlan{toy_plan(4)[2]});
  CHECK(result.result.outcome.failure->check == "invariant: order");
}

TEST_CASE("a failure that its own plan does not bring back is not shrunk") {
  const Variation variation = varied("fragile");
  SeedResult failed = failed_run(variation, 4);
  failed.outcome.failure->check = "liveness";
  const Shrunk result = shrunk(failed, 2);
  CHECK(result.end == ShrinkEnd::not_repeated);
  CHECK(result.plan.size() == 8);
  CHECK(result.runs == 1);
}

TEST_CASE("a run that died before its plan was known cannot be shrunk") {
  const Variation variation = varied("fragile");
  SeedResult failed = failed_run(variation, 4);
  failed.died = true;
  failed.outcome.draw.clear();
  failed.outcome.plan.clear();
  CHECK(shrunk(failed, 1).end == ShrinkEnd::no_plan);
}

TEST_CASE("shrinking stops at its bound of runs with the smallest plan so far") {
  const Variation variation = varied("fragile");
  const SeedResult failed = failed_run(variation, 4);
  const Shrunk one = shrunk(failed, 1, 5);
  CHECK(one.end == ShrinkEnd::bound_met);
  CHECK(one.runs == 5);
  CHECK(one.plan.size() >= 2);
  CHECK(one.plan.size() <= 8);
  CHECK(one.plan == shrunk(failed, 3, 5).plan);
}

}  // namespace troupe::simulations
