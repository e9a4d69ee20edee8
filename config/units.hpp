// Durations and sizes as a manifest writes them: "250ms", "1h30m"; "256KiB", "64MiB".
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "config/problem.hpp"

namespace troupe::config {

using Duration = std::chrono::nanoseconds;

// One or more whole numbers, each with its unit: us, ms, s, m, h, d. At most 36,500 days.
tl::expected<Duration, Complaint> parse_duration(std::string_view text);

// A whole number with its unit: B, KiB, MiB, GiB, TiB (powers of 1,024).
tl::expected<std::uint64_t, Complaint> parse_size(std::string_view text);

// The shortest text that parses to exactly this value.
std::string format_duration(Duration duration);
std::string format_size(std::uint64_t bytes);

}  // namespace troupe::config
