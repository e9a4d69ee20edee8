// The only source of time above the platform. Every method may be called from any thread.
#pragma once

#include "runtime/time.hpp"

namespace troupe::runtime {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual MonotonicTime now() const = 0;
  virtual WallTime wall() const = 0;
};

}  // namespace troupe::runtime
