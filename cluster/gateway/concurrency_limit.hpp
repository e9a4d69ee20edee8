// How many calls may be in flight at once so that they are still answered in time: a number that
// follows how fast they are answered.
//
// Beyond what a service can do, more calls in flight only wait longer. By Little's law (L = rate x
// latency) the calls that can be in flight without taking longer than they should are those that
// are answered in that time; the rate is measured, the time is set. Some twenty times a second:
//
// - Most of the calls that were answered took too long, or what is in flight will: the limit falls
//   to rate x time at once, or to half of what is in flight if that is more.
// - They did not: it rises by a sixteenth. It begins at its ceiling, so that a burst that is worked
//   off in time is never refused.
//
// What most calls take counts, as in Envoy's adaptive concurrency (sample and not tail) and CoDel
// (RFC 8289: only a queue that stands is bad), so that a few slow calls, or a pause of the disk,
// change little. The time is an absolute one, as the queueing time in DAGOR ("Overload Control for
// Scaling WeChat Microservices", SoCC 2018, section 4.1), and not a multiple of the fastest answer
// alone, as in Vegas or Gradient2 (github.com/Netflix/concurrency-limits): durable commands are
// answered in batches, whose throughput lies in taking longer than one that is alone. For services
// that are slow by themselves it is twice what calls take that find few others, at least.
//
// Any thread; no lock on the way of a call. On one thread it is deterministic.
#pragma once

#include <atomic>
#include <cstdint>

#include "config/manifest.hpp"
#include "runtime/time.hpp"

namespace troupe::cluster {

class ConcurrencyLimit {
 public:
  explicit ConcurrencyLimit(const config::Admission& settings);

  // What holds from now on; calls in flight stay.
  void configure(const config::Admission& settings);

  struct Begun {
    MonotonicTime at;
    bool among_few = false;  // not more were in flight than are let in anyway
  };
  enum class End : std::uint8_t {
    answered,
    refused,  // further in, a queue was full: as bad as an answer that took too long
    dropped,  // it says nothing of the service
  };

  // Whether one more call may begin; if so it has, and end() is to be called once.
  bool begin(MonotonicTime now, Begun& begun);
  // True: the limit may have changed.
  bool end(const Begun& begun, MonotonicTime now, End how);

  std::int64_t limit() const;
  std::int64_t in_flight() const { return in_flight_.load(std::memory_order_relaxed); }

 private:
  // Since the limit was last looked at.
  struct Window {
    Duration passed{};
    std::int64_t answered = 0;
    std::int64_t late = 0;  // of those, or refused
    bool paused = false;    // for longer than it takes to have answers
  };
  bool look(MonotonicTime now);
  std::int64_t next_limit(const Window& window);
  void notice_fastest(MonotonicTime now);

  std::atomic<bool> enabled_;
  std::atomic<std::int64_t> latency_ns_;
  std::atomic<std::int64_t> min_;
  std::atomic<std::int64_t> max_;

  std::atomic<std::int64_t> in_flight_{0};
  std::atomic<std::int64_t> limit_;
  std::atomic<std::int64_t> bound_ns_;  // an answer that took longer was late

  // Of the calls that ended since the limit was last looked at.
  std::atomic<std::int64_t> window_begin_ns_{0};  // 0: none has begun
  std::atomic<std::int64_t> answered_{0};
  std::atomic<std::int64_t> late_{0};     // of those, or refused
  std::atomic<std::int64_t> fastest_ns_;  // among few

  std::atomic<bool> looking_{false};  // guards what follows
  std::int64_t fastest_now_ns_;       // of a period of seconds, and of the one before
  std::int64_t fastest_before_ns_;
  MonotonicTime period_begin_{};
  bool many_before_ = false;  // in flight, when the limit was last looked at
};

}  // namespace troupe::cluster
