// Which seeds a test tries.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

namespace troupe::tests {

// How many. A build with sanitizers runs many times slower, and looks for what a seed does to
// memory rather than for a rare seed: a sixth of them there.
constexpr std::uint64_t seeds(std::uint64_t number) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return std::max<std::uint64_t>(number / 6, 1);
#else
  return number;
#endif
}

// A seed that a variable of the environment may choose, such as TROUPE_TEST_FIRST_SEED.
inline std::uint64_t seed_from(const char* variable, std::uint64_t otherwise) {
  const char* const given = std::getenv(variable);
  return given != nullptr ? std::stoull(given) : otherwise;
}

}  // namespace troupe::tests
