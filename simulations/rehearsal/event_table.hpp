// The log of a failed run as a table: one line per event, one column per node and one for clients.
#pragma once

#include <string>
#include <vector>

#include "simulations/rehearsal/history.hpp"
#include "simulations/world/logger.hpp"

namespace troupe::simulations {

// Something that happened to a node, or to the run as a whole ("clients").
struct RunEvent {
  Duration at{};
  std::string column;
  std::string text;
};

// At most `rows_max` rows, the last ones at or before `until`.
std::string event_table(const std::vector<std::string>& nodes, const LogBook& log,
                        const History& history, const std::vector<RunEvent>& events, Duration until,
                        std::size_t rows_max);

}  // namespace troupe::simulations
