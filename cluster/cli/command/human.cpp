#include "cluster/cli/command/human.hpp"

#include <array>
#include <cstdio>
#include <utility>

namespace troupe::cluster {

std::string human_bytes(std::uint64_t bytes) {
  if (bytes < 1024) return std::to_string(bytes) + " B";
  constexpr std::array<const char*, 6> units{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  double value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  // From 1023.95 on it would print as "1024.0".
  while (value >= 1023.95 && unit + 1 < units.size()) {
    value /= 1024;
    ++unit;
  }
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %s", value, units[unit]);
  return text;
}

std::string human_seconds(std::int64_t seconds) {
  if (seconds < 0) return "0s";
  constexpr std::array<std::pair<std::int64_t, const char*>, 4> units{
      {{86400, "d"}, {3600, "h"}, {60, "m"}, {1, "s"}}};
  for (std::size_t i = 0; i < units.size(); ++i) {
    const auto [length, name] = units[i];
    if (seconds < length && length != 1) continue;
    std::string text = std::to_string(seconds / length) + name;
    if (i + 1 < units.size()) {
      const auto [next_length, next_name] = units[i + 1];
      if (const auto rest = seconds % length / next_length; rest > 0)
        text += " " + std::to_string(rest) + next_name;
    }
    return text;
  }
  return "0s";
}

std::string human_count(std::uint64_t count) {
  std::string text = std::to_string(count);
  for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3)
    text.insert(static_cast<std::size_t>(at), ",");
  return text;
}

}  // namespace troupe::cluster
