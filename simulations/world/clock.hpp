// A node's clocks, as functions of the world's time.
//
// A machine has one oscillator (MachineClock), which may run fast or slow and which goes on whether
// or not a process runs. Both clocks of a life count its ticks: the wall clock from the world's
// begin plus an offset, which may step, and the monotonic clock from somewhere else in each life,
// so that a time of another node or of an earlier life is seen to mean nothing. The monotonic clock
// never steps back.
//
// Only times that actors wait for, and times that are read, are the node's own. How long packets
// travel, jobs take and connections may idle is the world's time.
#pragma once

#include <cstdint>

#include "runtime/platform/clock.hpp"
#include "simulations/world/event_loop.hpp"

namespace troupe::simulations {

// The wall time at which every world begins: 2026-01-01 00:00:00 UTC.
inline constexpr WallTime world_begin{std::chrono::milliseconds{1'767'225'600'000}};

// What a machine's own time is at each time of the world.
class MachineClock {
 public:
  static constexpr std::int32_t drift_max = 500'000;

  // How far the wall clock is ahead of what the oscillator counted (negative: behind).
  Duration wall_offset{0};

  // From world time `now` on, `drift` millionths fast (negative: slow), at most drift_max. Times
  // do not jump: what was counted stays.
  void set_drift(Duration now, std::int32_t drift);
  std::int32_t drift() const { return static_cast<std::int32_t>(pace_ - million); }

  // Counted since the world began; `world` is not before the last change of drift.
  Duration at(Duration world) const;

  // The first world time at which at() is `local` or more. One that lies before the last change of
  // drift is only known to have passed.
  Duration to_world(Duration local) const;

 private:
  static constexpr Duration::rep million = 1'000'000;

  Duration::rep pace_ = million;  // nanoseconds of its own in a million of the world's
  Duration changed_{0};           // when the drift last changed, as the world counts
  Duration counted_{0};           // by then
};

class SimClock final : public runtime::Clock {
 public:
  // `monotonic_start`: what now() says when the machine's clock is at zero.
  SimClock(const EventLoop& loop, Duration monotonic_start, const MachineClock& machine)
      : loop_(loop), start_(monotonic_start), machine_(machine) {}

  MonotonicTime now() const override { return MonotonicTime{start_ + machine_.at(loop_.now())}; }
  WallTime wall() const override {
    return world_begin + std::chrono::duration_cast<std::chrono::milliseconds>(
                             machine_.at(loop_.now()) + machine_.wall_offset);
  }

  // When it is `time` on this clock, as the world counts, if the drift stays as it is.
  Duration to_world(MonotonicTime time) const {
    return machine_.to_world(time.time_since_epoch() - start_);
  }

 private:
  const EventLoop& loop_;
  Duration start_;
  const MachineClock& machine_;
};

}  // namespace troupe::simulations
