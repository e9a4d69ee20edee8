// One message from one replica of a group to another, entries included.
#pragma once

#include <string>
#include <vector>

#include "cluster/replication/engine/engine.h"
#include "runtime/storage/node_log.hpp"

namespace troupe::cluster {

struct RaftMessage {
  runtime::GroupId group = 0;
  std::uint64_t from = 0;  // Raft ids. They are never used again, so that a message for an earlier
  std::uint64_t to = 0;    // incarnation of a replica is known by its `to` and dropped
  EngineMessage head{};    // its pointers are not used
  std::vector<runtime::LogEntry> entries;  // of ENGINE_APPEND_ENTRIES
};

}  // namespace troupe::cluster
