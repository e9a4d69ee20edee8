// The kernel's random generator (getrandom(2)), through a small buffer per thread: unpredictable,
// no lock, and one system call for 32 numbers. A process that forks must not go on using it in the
// child, which would draw the same numbers as its parent.
#pragma once

#include "runtime/platform/random.hpp"

namespace troupe::runtime {

class OsRandom final : public Random {
 public:
  std::uint64_t next() override;
};

}  // namespace troupe::runtime
