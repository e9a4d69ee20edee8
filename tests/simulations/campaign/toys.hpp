// Simulations without a world: what a campaign makes of outcomes, crashes and hangs.
#pragma once

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "simulations/campaign/campaign.hpp"

namespace troupe::simulations {

using namespace std::chrono_literals;

inline const std::vector<Simulation>& toy_simulations() {
  static const std::vector<Simulation> toys{
      {"aborts", "Aborts the process for every seed that ends in 3.", {}},
      {"calm", "Never fails.", {}},
      {"exits", "Ends the process without an outcome.", {}},
      {"fragile", "Fails if a kill and a full disk meet.", {}},
      {"hangs", "Never ends for seed 2.", {}},
      {"ledger", "Fails for every seed that ends in 7.", {}},
      {"stock", "Never fails.", {}},
      {"throws", "Throws an exception.", {}},
  };
  return toys;
}

inline const Simulation& toy(const std::string& name) {
  for (const auto& simulation : toy_simulations())
    if (simulation.name == name) return simulation;
  FAIL("no toy " << name);
  std::abort();
}

// Eight faults, of which "fragile" needs the kill and the full disk.
inline FaultPlan toy_plan(std::uint64_t seed) {
  FaultPlan plan;
  for (int i = 1; i <= 8; ++i) {
    Fault fault{FaultKind::pause, i * 1s, 250ms, "n1", "", 0};
    if (i == 3) fault.kind = FaultKind::kill;
    if (i == 6) {
      fault.kind = FaultKind::full_disk;
      fault.amount = static_cast<std::int64_t>(seed) + 1000;
    }
    plan.push_back(fault);
  }
  return plan;
}

inline bool has(const FaultPlan& plan, FaultKind kind) {
  for (const auto& fault : plan)
    if (fault.kind == kind) return true;
  return false;
}

inline Outcome run_toy(const Simulation& simulation, const RunOptions& options) {
  const std::string& name = simulation.name;
  Outcome outcome;
  outcome.seed = options.seed;
  outcome.draw = "fifo, seed " + std::to_string(options.seed);
  outcome.plan = options.plan.value_or(toy_plan(options.seed));
  if (options.fault_kinds && options.fault_kinds->empty()) outcome.plan.clear();
  if (options.so_far) options.so_far(outcome);
  for (std::uint64_t event = 0; options.trace && event < 3 + options.seed; ++event)
    *options.trace << "event " << event << " of " << name << "\n";
  if (options.page) *options.page << "<p>" << name << ' ' << options.seed << "</p>";

  if (name == "aborts" && options.seed % 10 == 3) {
    std::fprintf(stderr, "invariant of seed %d broke\n", static_cast<int>(options.seed));
    std::abort();
  }
  if (name == "exits") _exit(0);
  if (name == "throws") throw std::runtime_error{"a toy threw"};
  if (name == "hangs" && options.seed == 2)
    for (;;) pause();

  outcome.hash = options.seed * 1'000'003;
  outcome.events = 10 + options.seed;
  outcome.simulated = options.duration.value_or(20s);
  for (const auto& fault : outcome.plan)
    ++outcome.injected[fault.kind == FaultKind::pause ? "pause" : "other"];
  outcome.commands = 10;
  outcome.acknowledged = 7;
  outcome.refused = 2;
  outcome.unknown = 1;
  outcome.marks["a toy ran"] = 1;
  if (options.seed % 2 == 0) outcome.marks["an even seed"] = 2;
  const bool meet = has(outcome.plan, FaultKind::kill) && has(outcome.plan, FaultKind::full_disk);
  if ((name == "ledger" && options.seed % 10 == 7) || (name == "fragile" && meet)) {
    outcome.failure = Failure{"model", "expected 3\nfound    4", 6500ms};
    for (int i = 1; i <= 60; ++i) outcome.log += "line " + std::to_string(i) + "\n";
  }
  return outcome;
}

inline Variation varied(const std::string& name) {
  return {.name = name, .simulation = &toy(name)};
}

inline CrewOptions toy_crew(unsigned jobs) {
  return {.run = run_toy, .jobs = jobs, .seed_limit = 20s};
}

}  // namespace troupe::simulations
