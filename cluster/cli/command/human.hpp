// Numbers as people read them, rounded. For exact ones there is --json.
#pragma once

#include <cstdint>
#include <string>

namespace troupe::cluster {

std::string human_bytes(std::uint64_t bytes);     // "512 B", "42.1 MiB"
std::string human_seconds(std::int64_t seconds);  // "42s", "3m 12s", "5h 2m", "12d 4h"
std::string human_count(std::uint64_t count);     // "1,234,567"

}  // namespace troupe::cluster
