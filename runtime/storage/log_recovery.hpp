// Brings the node log's state back from its segments.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/platform/platform.hpp"
#include "runtime/storage/log_group.hpp"
#include "runtime/storage/log_segment.hpp"

namespace troupe::runtime {

struct RecoveredLog {
  std::deque<std::shared_ptr<Segment>> segments;  // oldest first; empty: a new log
  std::map<GroupId, LogGroup> groups;
  std::uint64_t transaction = 0;      // the newest
  std::vector<std::uint64_t> spares;  // numbers of files that were found, see LogSpares
};

// Reads everything, removes what an interrupted creation or deletion left. Blocks.
// DATA_LOSS / LOG_CORRUPT: rot, or a file that is missing, by name. SCHEMA_TOO_NEW.
Result<RecoveredLog> recover_log(Platform& platform, const std::string& folder);

}  // namespace troupe::runtime
