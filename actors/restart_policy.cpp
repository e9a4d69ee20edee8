#include "actors/restart_policy.hpp"

#include <algorithm>

namespace troupe::actors {

bool RestartWindow::add(MonotonicTime now) {
  restarts_.push_back(now);
  while (now - restarts_.front() > period_) restarts_.pop_front();
  return restarts_.size() <= intensity_;
}

Duration backoff_delay(const Backoff& backoff, unsigned n, runtime::Random& random) {
  Duration delay = std::min(backoff.first, backoff.max);
  for (; n > 1 && delay < backoff.max; --n) {
    if (delay <= Duration::zero()) break;
    delay = delay > backoff.max / 2 ? backoff.max : delay * 2;
  }
  const double jitter = std::clamp(backoff.jitter, 0.0, 1.0);
  const auto span = static_cast<std::int64_t>(static_cast<double>(delay.count()) * jitter);
  if (span <= 0) return delay;
  return delay - Duration{random.between(0, static_cast<std::uint64_t>(span))};
}

}  // namespace troupe::actors
