// How many seeds a test tries. A build with sanitizers runs many times slower, and looks for what a
// seed does to memory rather than for a rare seed: a quarter of them there.
#pragma once

#include <algorithm>
#include <cstdint>

namespace troupe::tests {

constexpr std::uint64_t seeds(std::uint64_t number) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return std::max<std::uint64_t>(number / 4, 1);
#else
  return number;
#endif
}

}  // namespace troupe::tests
