// A node's clocks, as functions of the world's time. Each life of a node starts its monotonic clock
// somewhere else, so that a time of another node or of an earlier life is seen to mean nothing.
#pragma once

#include "runtime/platform/clock.hpp"
#include "simulations/world/event_loop.hpp"

namespace troupe::simulations {

// The wall time at which every world begins: 2026-01-01 00:00:00 UTC.
inline constexpr WallTime world_begin{std::chrono::milliseconds{1'767'225'600'000}};

class SimClock final : public runtime::Clock {
 public:
  // `monotonic_start`: what now() says when the world begins. `wall_offset`: how far the node's
  // wall clock is ahead of the world's (negative: behind).
  SimClock(const EventLoop& loop, Duration monotonic_start, Duration wall_offset)
      : loop_(loop), start_(monotonic_start), wall_offset_(wall_offset) {}

  MonotonicTime now() const override { return MonotonicTime{start_ + loop_.now()}; }
  WallTime wall() const override {
    return world_begin +
           std::chrono::duration_cast<std::chrono::milliseconds>(loop_.now() + wall_offset_);
  }

  // When it is `time` on this clock, as the world counts.
  Duration to_world(MonotonicTime time) const { return time.time_since_epoch() - start_; }

 private:
  const EventLoop& loop_;
  Duration start_;
  Duration wall_offset_;
};

}  // namespace troupe::simulations
