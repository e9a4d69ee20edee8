// What the node log knows of one group. Guarded by the node log; changed by recovery and by the
// writer, once rows are durable.
#pragma once

#include <algorithm>
#include <optional>

#include "runtime/storage/group_index.hpp"
#include "runtime/storage/node_log.hpp"

namespace troupe::runtime {

struct LogGroup {
  std::optional<GroupRecord> record;
  GroupIndex index;

  bool exists() const { return record || !index.empty(); }
  LogIndex snapshot() const { return record ? record->snapshot_index : 0; }
  // Where the next entry goes if it does not truncate.
  LogIndex next() const { return std::max(index.last(), snapshot()) + 1; }
  bool takes(LogIndex entry) const { return entry > snapshot() && entry <= next(); }

  // A raised generation means another replica's file: nothing that was here follows from it.
  bool begins_anew(const GroupRecord& written) const {
    return record && written.generation > record->generation;
  }

  void set_record(GroupRecord written) {
    index.cut(begins_anew(written) ? index.last() : written.snapshot_index);
    record = std::move(written);
  }
};

}  // namespace troupe::runtime
