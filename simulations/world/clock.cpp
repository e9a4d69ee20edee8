#include "simulations/world/clock.hpp"

#include "simulations/world/check.hpp"

namespace troupe::simulations {

void MachineClock::set_drift(Duration now, std::int32_t drift) {
  check(drift >= -drift_max && drift <= drift_max, "a clock's drift is out of range");
  counted_ = at(now);
  changed_ = now;
  pace_ = million + drift;
}

// Whole millions apart from the rest, so that no product overflows: at() is
// floor(passed * pace / million), to_world() its smallest inverse, ceil(ticks * million / pace).
Duration MachineClock::at(Duration world) const {
  const auto passed = (world - changed_).count();
  if (pace_ == million) return counted_ + Duration{passed};
  return counted_ + Duration{passed / million * pace_ + passed % million * pace_ / million};
}

Duration MachineClock::to_world(Duration local) const {
  const auto ticks = (local - counted_).count();
  if (pace_ == million || ticks <= 0) return changed_ + Duration{ticks};
  return changed_ +
         Duration{ticks / pace_ * million + (ticks % pace_ * million + pace_ - 1) / pace_};
}

}  // namespace troupe::simulations
