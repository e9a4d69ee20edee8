#include "cluster/gateway/concurrency_limit.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace troupe::cluster {
namespace {

using namespace std::chrono_literals;

// A window is as long as an answer may take, at least this.
constexpr Duration window_shortest = 50ms;
// So many answers say something after a window, so many after this; fewer never do.
constexpr std::int64_t enough = 16;
constexpr std::int64_t few = 4;
constexpr Duration long_time = 1s;
// The fastest answer is that of the last ten to twenty seconds in which there was one among few.
constexpr Duration period = 10s;
constexpr std::int64_t tolerance = 2;
// What is in flight would take so many times as long as it should: a queue that grows is seen here
// before those that wait in it have an answer.
constexpr double too_many = 4;
constexpr std::int64_t none = std::numeric_limits<std::int64_t>::max();

std::int64_t ns(MonotonicTime time) {
  return Duration{time.time_since_epoch()}.count();
}

void lower(std::atomic<std::int64_t>& least, std::int64_t value) {
  std::int64_t now = least.load(std::memory_order_relaxed);
  while (value < now && !least.compare_exchange_weak(now, value, std::memory_order_relaxed)) {
  }
}

}  // namespace

ConcurrencyLimit::ConcurrencyLimit(const config::Admission& settings)
    : enabled_{settings.enabled},
      latency_ns_{settings.latency.count()},
      min_{settings.in_flight_min},
      max_{settings.in_flight_max},
      limit_{settings.in_flight_max},
      bound_ns_{settings.latency.count()},
      fastest_ns_{none},
      fastest_now_ns_{none},
      fastest_before_ns_{none} {}

void ConcurrencyLimit::configure(const config::Admission& settings) {
  const config::Admission before{enabled_, Duration{latency_ns_},
                                 static_cast<std::uint32_t>(min_.load()),
                                 static_cast<std::uint32_t>(max_.load())};
  if (settings == before) return;  // it goes on from where it is
  enabled_ = settings.enabled;
  latency_ns_ = settings.latency.count();
  min_ = settings.in_flight_min;
  max_ = settings.in_flight_max;
  bound_ns_ = settings.latency.count();
  limit_ = settings.in_flight_max;
}

std::int64_t ConcurrencyLimit::limit() const {
  return enabled_.load(std::memory_order_relaxed) ? limit_.load(std::memory_order_relaxed)
                                                  : max_.load(std::memory_order_relaxed);
}

bool ConcurrencyLimit::begin(MonotonicTime now, Begun& begun) {
  const std::int64_t before = in_flight_.fetch_add(1, std::memory_order_relaxed);
  if (before >= limit()) {
    in_flight_.fetch_sub(1, std::memory_order_relaxed);
    return false;
  }
  begun = {now, before < min_.load(std::memory_order_relaxed)};
  return true;
}

bool ConcurrencyLimit::end(const Begun& begun, MonotonicTime now, End how) {
  in_flight_.fetch_sub(1, std::memory_order_relaxed);
  if (how == End::dropped || !enabled_.load(std::memory_order_relaxed)) return false;
  const std::int64_t took = Duration{now - begun.at}.count();
  if (how == End::refused || took > bound_ns_.load(std::memory_order_relaxed))
    late_.fetch_add(1, std::memory_order_relaxed);
  if (how == End::answered) {
    answered_.fetch_add(1, std::memory_order_relaxed);
    if (begun.among_few) lower(fastest_ns_, took);
  }
  return look(now);
}

bool ConcurrencyLimit::look(MonotonicTime now) {
  const std::int64_t begin = window_begin_ns_.load(std::memory_order_relaxed);
  const Duration shortest =
      std::max(window_shortest, Duration{bound_ns_.load(std::memory_order_relaxed)});
  const Duration longest = std::max(shortest, long_time);
  if (begin != 0 && ns(now) - begin < shortest.count()) return false;
  if (looking_.exchange(true, std::memory_order_acquire)) return false;
  Window window;
  window.passed = Duration{ns(now) - begin};
  window.answered = answered_.load(std::memory_order_relaxed);
  window.late = late_.load(std::memory_order_relaxed);
  window.paused = window.passed >= 2 * shortest;
  const std::int64_t ended = std::max(window.answered, window.late);
  // Another thread may have been here since.
  const bool ours = window_begin_ns_.load(std::memory_order_relaxed) == begin;
  // Of a much longer time, in which nothing ended, the rate is unknown.
  const bool tells = begin != 0 && ended >= few && window.passed < 2 * longest;
  const bool over = begin == 0 || ended >= enough || window.passed >= longest;
  if (ours && over) {
    notice_fastest(now);
    if (tells) limit_.store(next_limit(window), std::memory_order_relaxed);
    answered_.fetch_sub(window.answered, std::memory_order_relaxed);
    late_.fetch_sub(window.late, std::memory_order_relaxed);
    window_begin_ns_.store(ns(now), std::memory_order_relaxed);
  }
  looking_.store(false, std::memory_order_release);
  return ours && over && tells;
}

std::int64_t ConcurrencyLimit::next_limit(const Window& window) {
  const std::int64_t now = limit_.load(std::memory_order_relaxed);
  const std::int64_t lowest = min_.load(std::memory_order_relaxed);
  const std::int64_t highest = max_.load(std::memory_order_relaxed);
  const std::int64_t there = in_flight();
  const double in_time = static_cast<double>(window.answered) *
                         static_cast<double>(bound_ns_.load(std::memory_order_relaxed)) /
                         static_cast<double>(window.passed.count());
  // Twice: when more calls come from one moment to the next, their answers are not there yet.
  const bool many = !window.paused && static_cast<double>(there) > too_many * in_time;
  const bool grows = std::exchange(many_before_, many) && many;
  if (window.late * 2 <= window.answered && !grows)
    return std::min(highest, now + std::max<std::int64_t>(1, now / 16));
  const std::int64_t half = std::min(now, there) / 2;
  const std::int64_t next = std::min(now, std::max(static_cast<std::int64_t>(in_time), half));
  return std::max(std::min(lowest, highest), next);
}

void ConcurrencyLimit::notice_fastest(MonotonicTime now) {
  fastest_now_ns_ =
      std::min(fastest_now_ns_, fastest_ns_.exchange(none, std::memory_order_relaxed));
  const std::int64_t fastest = std::min(fastest_now_ns_, fastest_before_ns_);
  if (fastest_now_ns_ != none && now - period_begin_ >= period) {
    fastest_before_ns_ = fastest_now_ns_;
    fastest_now_ns_ = none;
    period_begin_ = now;
  }
  const std::int64_t wanted = latency_ns_.load(std::memory_order_relaxed);
  bound_ns_.store(fastest == none ? wanted : std::max(wanted, tolerance * fastest),
                  std::memory_order_relaxed);
}

}  // namespace troupe::cluster
