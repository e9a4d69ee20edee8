// The fewest faults that still make a seed fail in the same way.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "simulations/campaign/crew.hpp"

namespace troupe::simulations {

struct ShrinkOptions {
  CrewOptions crew;
  std::uint64_t runs_max = 500;
  Duration time_max = std::chrono::minutes{10};
};

struct ShrinkProgress {
  std::uint64_t runs = 0;
  std::size_t faults = 0;  // of the smallest plan so far
  Duration elapsed{};
};

enum class ShrinkEnd : std::uint8_t {
  minimal,       // each of the faults that are left is needed
  bound_met,     // runs or time were over; the plan may be smaller yet
  interrupted,   // ... by a signal
  not_repeated,  // given back as a plan, the seed's own faults did not make it fail the same way
  no_plan,       // the process of the run died before it had drawn one
};

struct Shrunk {
  ShrinkEnd end = ShrinkEnd::minimal;
  std::size_t from = 0;  // faults of the plan before
  FaultPlan plan;        // what is left
  SeedResult result;     // of the run with it
  std::uint64_t runs = 0;
};

// Two failures are the same if their checks have the same name. The result does not depend on the
// number of jobs, unless a bound of real time is met. `progress` may be empty.
Shrunk shrink(const SeedResult& failed, const ShrinkOptions& options,
              const Interruption& interruption,
              const std::function<void(const ShrinkProgress&)>& progress);

}  // namespace troupe::simulations
