#include "cluster/gateway/http/refusal_pace.hpp"

#include <algorithm>

namespace troupe::cluster {
namespace {

constexpr Duration window = std::chrono::milliseconds{100};

}  // namespace

Duration RefusalPace::refused(MonotonicTime now) {
  const std::int64_t now_ns = Duration{now.time_since_epoch()}.count();
  const std::int64_t count = refusals_.fetch_add(1, std::memory_order_relaxed) + 1;
  std::int64_t begin = window_begin_ns_.load(std::memory_order_relaxed);
  // Whoever moves the window looks at what was in it.
  if (now_ns - begin >= window.count() &&
      window_begin_ns_.compare_exchange_strong(begin, now_ns, std::memory_order_relaxed)) {
    refusals_.fetch_sub(count, std::memory_order_relaxed);
    const auto passed = static_cast<double>(now_ns - begin) / 1e9;
    const Duration hold{hold_ns_.load(std::memory_order_relaxed)};
    Duration next = hold / 2 < hold_shortest ? Duration::zero() : hold / 2;
    if (static_cast<double>(count) > passed * refusals_max_)
      next = std::clamp(2 * hold, hold_shortest, hold_longest);
    hold_ns_.store(next.count(), std::memory_order_relaxed);
  }
  return Duration{hold_ns_.load(std::memory_order_relaxed)};
}

}  // namespace troupe::cluster
