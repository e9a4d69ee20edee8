// Points in time. Only types: the present is read from platform/clock.hpp, nowhere else.
#pragma once

#include <chrono>

namespace troupe {

using Duration = std::chrono::nanoseconds;

// Never steps back, counts from an arbitrary origin, is meaningless on another node.
using MonotonicTime = std::chrono::steady_clock::time_point;

// Unix time in UTC, milliseconds. May step; never used to order events.
using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;

}  // namespace troupe
