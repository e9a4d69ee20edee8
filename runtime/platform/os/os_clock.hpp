// The system's clocks: CLOCK_MONOTONIC and CLOCK_REALTIME.
#pragma once

#include "runtime/platform/clock.hpp"

namespace troupe::runtime {

class OsClock final : public Clock {
 public:
  MonotonicTime now() const override { return std::chrono::steady_clock::now(); }
  WallTime wall() const override {
    return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  }
};

}  // namespace troupe::runtime
