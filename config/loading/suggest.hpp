// "Did you mean": the candidate that a mistyped word is closest to.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::config {

// Nullopt if none is close enough to be what was meant. Upper and lower case, '-' and '_' count
// as the same; of two equally close ones the first wins.
std::optional<std::string> suggest(std::string_view word,
                                   const std::vector<std::string>& candidates);

}  // namespace troupe::config
