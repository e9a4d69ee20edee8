// Outcomes as bytes, from a worker process to the one that collects them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "simulations/rehearsal/outcome.hpp"

namespace troupe::simulations {

struct Answered {
  Outcome outcome;
  bool complete = false;  // false: the run has only begun; seed, draw and plan are known
};

std::string to_bytes(const Outcome& outcome, bool complete);

// Nullopt: the bytes are not what to_bytes() makes.
std::optional<Answered> from_bytes(std::string_view bytes);

}  // namespace troupe::simulations
