// Histories of runs in which something was lost for good: a log's newest commit to rot
// (ReplicaChecks::log_rotted()), or what only a lost majority had (ReplicaChecks::on_alone).
#pragma once

#include <vector>

#include "simulations/checks/replica_checks.hpp"
#include "simulations/rehearsal/history.hpp"

namespace troupe::simulations {

struct KnownLoss {
  ReplicaChecks::Loss loss;
  Duration noticed{};  // when the log was opened without it, or the others were given up
};

// Whether it was answered on the strength of what was lost, or may have been: of a refusal, which
// has no position, that cannot be told.
bool rests_on(const Operation& operation, const KnownLoss& known);

// What clients saw, without what rested on the lost commits: answers at their positions, and
// refusals that may have seen them, count as if nothing had been said. Commands among them may have
// taken effect once after all: by an attempt that is in another log, or that comes later.
History without_lost(const History& history, const std::vector<KnownLoss>& losses);

}  // namespace troupe::simulations
