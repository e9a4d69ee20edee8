// Invariants of the simulator itself. They hold in every build, and a broken one ends the process:
// an exception could be swallowed by the actor in whose handler it arose.
#pragma once

#include <functional>
#include <string_view>

namespace troupe::simulations {

[[noreturn]] void check_failed(std::string_view what);

// Called once with what broke before the process ends, to save what is known. Empty: nothing is.
void before_check_fails(std::function<void(std::string_view)> save);

inline void check(bool holds, std::string_view what) {
  if (!holds) check_failed(what);
}

// The simulator is deterministic only as long as nothing runs beside it. Aborts if the process has
// more threads than the one it runs in (ThreadSanitizer's own thread does not count).
void check_single_thread();

}  // namespace troupe::simulations
