// The only source of random numbers above the platform: every id, jitter and seed comes from it.
// May be called from any thread. Unpredictable on an operating system, a function of the seed in
// the simulator.
#pragma once

#include <cstdint>

namespace troupe::runtime {

class Random {
 public:
  virtual ~Random() = default;
  virtual std::uint64_t next() = 0;

  // Uniform in [low, high], both included; low <= high.
  std::uint64_t between(std::uint64_t low, std::uint64_t high) {
    const std::uint64_t span = high - low + 1;
    return span == 0 ? next() : low + next() % span;
  }
};

}  // namespace troupe::runtime
