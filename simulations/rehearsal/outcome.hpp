// What came of one run of a simulation with one seed.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "runtime/time.hpp"
#include "simulations/faults/fault.hpp"

namespace troupe::simulations {

struct Failure {
  std::string check;  // "model", "always: no balance is negative", "liveness", ...
  std::string what;   // both sides of the difference, and where
  Duration at{};      // since the world began
};

struct Outcome {
  std::uint64_t seed = 0;
  std::uint64_t hash = 0;    // of the trace
  std::uint64_t events = 0;  // in the trace
  Duration simulated{};      // how far virtual time went
  std::string draw;          // one line: schedule strategy, fault kinds and knobs of this seed
  FaultPlan plan;            // all faults, those that no longer mattered too
  std::map<std::string, std::uint64_t> injected;  // faults that took place, by kind
  std::map<std::string, std::uint64_t> marks;     // reached ones
  std::uint64_t commands = 0;                     // operations begun by clients
  std::uint64_t acknowledged = 0;                 // ... answered with success
  std::uint64_t refused = 0;  // ... answered with an error that says "no effect"
  std::uint64_t unknown = 0;  // ... never answered, or with an error that leaves it open
  std::optional<Failure> failure;
  std::string log;  // of a failed run: one line per event, one column per node
};

}  // namespace troupe::simulations
