// What a group's log holds when its replica starts, read from the node log and checked.
#pragma once

#include <optional>
#include <vector>

#include "runtime/storage/node_log.hpp"

namespace troupe::cluster {

struct GroupLog {
  std::optional<runtime::GroupRecord> record;  // nullopt: the group was never here
  // All entries behind the record's snapshot. Payloads of commands up to `applied` are left out.
  std::vector<runtime::LogEntry> entries;

  runtime::LogIndex last() const {
    if (!entries.empty()) return entries.back().index;
    return record ? record->snapshot_index : 0;
  }
};

// Blocks. DATA_LOSS / GROUP_LOG_CORRUPT says what does not fit together; other errors are the
// log's. Appends of an earlier incarnation of the replica may still become durable meanwhile.
Result<GroupLog> load_group_log(runtime::NodeLog& log, runtime::GroupId group,
                                runtime::LogIndex applied);

}  // namespace troupe::cluster
