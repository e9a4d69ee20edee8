// Running declared simulations: one seed of one simulation, from an empty world to its outcome.
#pragma once

#include <chrono>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "simulations/rehearsal/outcome.hpp"

namespace troupe::simulations {

class Rehearsal;  // rehearsal/rehearsal.hpp: what a body declares
class TraceSink;  // world/trace.hpp: sees every event of the world

// A declared simulation, by SIMULATION in a source file or by a TOML file that varies one.
struct Simulation {
  std::string name;   // unique, as `troupe simulate` takes it: "ledger"
  std::string about;  // one sentence: what it shows
  std::function<void(Rehearsal&)> declare;
};

// All that the binary has, sorted by name.
const std::vector<Simulation>& simulations();
const Simulation* find_simulation(const std::string& name);

// What may differ from the declaration. What is not set is as declared or drawn from the seed.
struct RunOptions {
  std::uint64_t seed = 1;
  std::optional<FaultPlan> plan;                      // exactly these faults
  std::optional<std::vector<FaultKind>> fault_kinds;  // only these are drawn; empty: none
  std::optional<Duration> duration;                   // of the part with faults
  std::optional<std::string> manifest;                // TOML text
  std::optional<unsigned> clients;
  std::optional<bool> linearizability;  // the black-box check; drawn for one seed in twenty
  std::ostream* trace = nullptr;        // a line for every event
  TraceSink* sink = nullptr;
  // Gets the run as an HTML page when it has ended, also if a broken invariant ends the process.
  // Takes the place of `sink`.
  std::ostream* page = nullptr;
  // What must be known of a run whose process does not survive it. Called before the first event,
  // with an outcome that has seed, draw and plan, and once more if an invariant breaks, with the
  // failure that it is; then the process ends.
  std::function<void(const Outcome& so_far)> so_far;
};

// Runs in this thread and process, which must have no other thread. An invariant that breaks inside
// an actor aborts the process, as in production it would: whoever runs many seeds forks.
Outcome run(const Simulation& simulation, const RunOptions& options);

}  // namespace troupe::simulations
