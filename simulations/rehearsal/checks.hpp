// The checks of a history that need nothing but the history.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "simulations/rehearsal/history.hpp"
#include "simulations/rehearsal/linearize.hpp"
#include "simulations/rehearsal/model.hpp"
#include "simulations/rehearsal/outcome.hpp"

namespace troupe::simulations {

using Models = std::map<std::string, MakeModel>;  // by service

// "position": every reply has one, and positions agree with time: what began after a reply had
// arrived does not stand before it in the same shard. So no read is older than a write that was
// acknowledged before the read began, and no command took effect outside its call.
std::optional<Failure> check_positions(const History& history);

struct ReplayReport {
  std::optional<Failure> failure;
  std::uint64_t undecided = 0;  // entities whose search was given up
  std::uint64_t steps = 0;
};

// "model": each entity's operations, in the order of their positions, give in its service's model
// the replies that clients saw, byte for byte. Services without a model are left out.
ReplayReport check_model(const History& history, const Models& models);

// "linearizability": the same without trust in positions, which this check validates.
ReplayReport check_linearizability(const History& history, const Models& models);

}  // namespace troupe::simulations
