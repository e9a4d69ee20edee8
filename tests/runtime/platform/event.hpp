// What a test waits for instead of sleeping: something that another thread says once.
//
// Unlike std::promise it may be destroyed as soon as wait() returned, although the thread that
// called set() has not left it yet.
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

namespace troupe::tests {

template <class T = bool>
class Event {
 public:
  void set(T value = T{}) {
    const std::lock_guard lock{mutex_};
    if (!value_) value_ = std::move(value);
    changed_.notify_all();  // under the lock: see above
  }

  T wait() {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [this] { return value_.has_value(); });
    return *value_;
  }

  bool is_set() {
    const std::lock_guard lock{mutex_};
    return value_.has_value();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<T> value_;
};

}  // namespace troupe::tests
