// Is there one order of an entity's operations that explains what every client saw?
//
// Wing and Gong's search (Testing and verifying concurrent objects, 1993) with the memo of Lowe
// (Testing for linearizability, 2017): operations are put into an order one by one; one may be next
// if every operation that ended before it began has been put already, and if the model, given the
// order so far, replies what the client saw. A pair of (operations put, state) that was met before
// is not followed again. What changes nothing is put as soon as it fits, and nowhere else is tried
// unless that leaves no time for an unknown command.
//
// An operation whose outcome is unknown may be put anywhere behind its beginning, or nowhere. It is
// tried only where nothing else fits: its place is found from what others saw. It has none behind
// the time at which the client says that it cannot run any more (Operation::settled).
//
// With `trust_positions`, the positions of replies bind the order, too: of two replies of one shard
// the one with the smaller index is first, and a replayed one is not behind its index. Then there
// is little to search. Without them the search is a judge of the positions as well.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "simulations/rehearsal/history.hpp"
#include "simulations/rehearsal/model.hpp"

namespace troupe::simulations {

struct LinearizeOptions {
  bool trust_positions = true;
  std::uint64_t steps_max = 400'000;  // calls of the model; then the answer is `undecided`
};

struct Linearization {
  enum class Verdict : std::uint8_t { explained, impossible, undecided };
  Verdict verdict = Verdict::explained;
  std::uint64_t steps = 0;
  // What could not be explained: the longest order that could, and what the model says of each
  // operation that might have come next, beside what the client saw.
  std::string why;
  Duration at{};  // when the first of those ended
};

// `operations`: those of one entity, in the order in which they began.
Linearization linearize(const std::vector<const Operation*>& operations, const MakeModel& make,
                        const std::string& key, const LinearizeOptions& options);

}  // namespace troupe::simulations
