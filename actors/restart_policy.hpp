// When a supervisor restarts, and when it gives up. Values without an actor, so that the rules can
// be read and tested alone.
#pragma once

#include <deque>

#include "actors/supervision.hpp"
#include "runtime/platform/random.hpp"

namespace troupe::actors {

// Counts restarts within a sliding window, as OTP's supervisor does (add_restart/1): a restart
// exactly `period` ago still counts, and one more than `intensity` is too many.
class RestartWindow {
 public:
  RestartWindow(unsigned intensity, Duration period) : intensity_(intensity), period_(period) {}

  // Restarts that were counted and are within the new period count on.
  void set(unsigned intensity, Duration period) {
    intensity_ = intensity;
    period_ = period;
  }

  // Counts a restart; false: one too many. Times never go back.
  bool add(MonotonicTime now);

  // Restarts within the window that ended at the last add().
  std::size_t count() const { return restarts_.size(); }

 private:
  unsigned intensity_;
  Duration period_;
  std::deque<MonotonicTime> restarts_;
};

// Delay before the n-th restart in a row, n from 1.
Duration backoff_delay(const Backoff& backoff, unsigned n, runtime::Random& random);

}  // namespace troupe::actors
