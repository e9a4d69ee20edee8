// How much a writer that others wait behind hands to the disk at once.
//
// A disk takes requests about in the order in which they come. Who writes thousands of pages and
// syncs them in one go makes the next fsync of a log wait for all of them, for seconds where the
// disk does some hundred writes a second. A writer that syncs a piece at a time, and rests between
// two, lets others in; PostgreSQL spreads the writes of its checkpoints for the same reason
// (PostgreSQL manual, section 30.5, WAL Configuration: checkpoint_completion_target).
//
// Pieces are as large as the disk takes in some 50 ms, which is measured with each, but not so
// small that a checkpoint comes to nothing: what cannot be checkpointed cannot be applied, and
// waits in memory. One object a file; one thread at a time.
#pragma once

#include <cstddef>

#include "runtime/time.hpp"

namespace troupe::runtime {

class SyncPace {
 public:
  static constexpr std::size_t piece_smallest = std::size_t{128} << 10;
  static constexpr std::size_t piece_first = std::size_t{256} << 10;
  static constexpr std::size_t piece_largest = std::size_t{4} << 20;
  static constexpr Duration piece_time = std::chrono::milliseconds{50};
  static constexpr Duration rest_longest = std::chrono::milliseconds{50};

  // Counts bytes that were written. True: they are to be synced now.
  bool written(std::size_t bytes);
  // A piece was synced, which took so long. Returns for how long to rest.
  Duration synced(Duration took);
  // All was synced, by somebody who does not go by pieces.
  void clear() { written_ = 0; }

  std::size_t piece() const { return piece_; }

 private:
  std::size_t piece_ = piece_first;
  std::size_t written_ = 0;  // since the last sync
};

}  // namespace troupe::runtime
