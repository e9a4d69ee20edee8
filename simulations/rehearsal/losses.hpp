// Histories of runs in which a log lost its newest commit to rot: ReplicaChecks::log_rotted().
#pragma once

#include <vector>

#include "simulations/checks/replica_checks.hpp"
#include "simulations/rehearsal/history.hpp"

namespace troupe::simulations {

struct KnownLoss {
  ReplicaChecks::Loss loss;
  Duration noticed{};  // when the log was opened without it
};

// What clients saw, without what rested on the lost commits: answers at their positions, which
// count as if nothing had been said and done, and refusals that may have seen them.
History without_lost(const History& history, const std::vector<KnownLoss>& losses);

}  // namespace troupe::simulations
