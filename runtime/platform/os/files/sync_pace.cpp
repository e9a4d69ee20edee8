#include "runtime/platform/os/files/sync_pace.hpp"

#include <algorithm>

namespace troupe::runtime {

bool SyncPace::written(std::size_t bytes) {
  written_ += bytes;
  return written_ >= piece_;
}

Duration SyncPace::synced(Duration took) {
  written_ = 0;
  if (took > piece_time)
    piece_ = std::max(piece_ / 2, piece_smallest);
  else if (took < piece_time / 2)
    piece_ = std::min(piece_ * 2, piece_largest);
  return std::min(took / 2, rest_longest);
}

}  // namespace troupe::runtime
