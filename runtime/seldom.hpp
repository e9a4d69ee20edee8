// For what could be said with every request, and is enough to be said now and then. Any thread.
#pragma once

#include <mutex>
#include <optional>

#include "runtime/time.hpp"

namespace troupe::runtime {

class Seldom {
 public:
  explicit Seldom(Duration every) : every_{every} {}

  // True the first time, and then whenever it was not for so long.
  bool due(MonotonicTime now) {
    const std::lock_guard lock{mutex_};
    if (last_ && now - *last_ < every_) return false;
    last_ = now;
    return true;
  }

 private:
  const Duration every_;
  std::mutex mutex_;
  std::optional<MonotonicTime> last_;  // guarded by mutex_
};

}  // namespace troupe::runtime
