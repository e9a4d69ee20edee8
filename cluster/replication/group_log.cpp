#include "cluster/replication/group_log.hpp"

#include <algorithm>

#include "cluster/replication/engine/configuration.h"
#include "cluster/replication/engine/engine.h"
#include "runtime/rehearsal/planted.hpp"

namespace troupe::cluster {

using runtime::GroupId;
using runtime::GroupRecord;
using runtime::LogEntry;
using runtime::LogIndex;
using runtime::NodeLog;
using runtime::Term;

namespace {

constexpr LogIndex entries_per_read = 1024;
constexpr int attempts_max = 10;

Error corrupt(GroupId group, const std::string& what) {
  return data_loss("GROUP_LOG_CORRUPT", "the log of group " + std::to_string(group) + ": " + what +
                                            "; restore the node's data folder from a backup, or "
                                            "let the group's other replicas rebuild it");
}

bool is_configuration(const std::string& bytes) {
  ConfigurationServer servers[CONFIGURATION_SERVERS_MAX];
  return configuration_decode(bytes.data(), bytes.size(), servers) > 0;
}

bool is_same_log(const std::optional<GroupRecord>& a, const std::optional<GroupRecord>& b) {
  if (!a || !b) return a.has_value() == b.has_value();
  return a->term == b->term && a->vote == b->vote && a->replica == b->replica &&
         a->snapshot_index == b->snapshot_index;
}

Result<void> read_entries(NodeLog& log, GroupId group, LogIndex from, LogIndex to, LogIndex applied,
                          std::vector<LogEntry>& entries) {
  for (LogIndex next = from; next <= to; next = entries.back().index + 1) {
    const LogIndex last = std::min(to, next + entries_per_read - 1);
    TROUPE_TRY(chunk, log.read(group, next, last));
    if (chunk.size() != last - next + 1)
      return corrupt(group, "asked for " + std::to_string(last - next + 1) +
                                " entries from index " + std::to_string(next) + ", got " +
                                std::to_string(chunk.size()));
    for (LogEntry& entry : chunk) {
      if (entry.type == ENGINE_COMMAND && entry.index <= applied) entry.payload.reset();
      entries.push_back(std::move(entry));
    }
  }
  return {};
}

Result<void> check_record(GroupId group, const GroupRecord& record) {
  if (record.replica == 0) return corrupt(group, "its record has no replica id");
  if (record.term == 0 && (record.vote != 0 || record.snapshot_index != 0))
    return corrupt(group, "its record has a vote or a snapshot, and no term");
  if (record.snapshot_index == 0) return {};
  if (record.snapshot_term == 0 || record.snapshot_term > record.term)
    return corrupt(group, "its snapshot at index " + std::to_string(record.snapshot_index) +
                              " has the impossible term " + std::to_string(record.snapshot_term));
  if (record.configuration_index == 0 || record.configuration_index > record.snapshot_index ||
      !is_configuration(record.configuration))
    return corrupt(group, "the configuration of its snapshot cannot be read");
  return {};
}

Result<void> check_entries(GroupId group, const GroupRecord& record,
                           const std::vector<LogEntry>& entries) {
  LogIndex index = record.snapshot_index;
  Term term = record.snapshot_term;
  // A replica that came later, and was given nothing yet, has none; it has never voted either.
  const bool newcomer = entries.empty() && record.vote == 0;
  if (index == 0 && !newcomer && (entries.empty() || entries.front().type != ENGINE_CHANGE))
    return corrupt(group, "it does not begin with the group's configuration");
  for (const LogEntry& entry : entries) {
    const std::string where = "entry " + std::to_string(++index);
    if (entry.index != index)
      return corrupt(group, where + " is missing, found " + std::to_string(entry.index));
    if (entry.term == 0 || entry.term < term || entry.term > record.term)
      return corrupt(group, where + " has the impossible term " + std::to_string(entry.term));
    term = entry.term;
    if (entry.type < ENGINE_COMMAND || entry.type > ENGINE_CHANGE)
      return corrupt(group, where + " has the unknown type " + std::to_string(entry.type));
    if (entry.type == ENGINE_CHANGE && !(entry.payload && is_configuration(*entry.payload)))
      return corrupt(group, where + " holds a configuration that cannot be read");
  }
  return {};
}

}  // namespace

Result<GroupLog> load_group_log(NodeLog& log, GroupId group, LogIndex applied) {
  // The log may grow or be cut while it is read: what counts is a reading with the same record
  // before and after.
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    GroupLog loaded;
    loaded.record = log.record(group);
    const LogIndex from = loaded.record ? loaded.record->snapshot_index + 1 : 1;
    LogIndex last = log.last_index(group);
    // Planted: a group that recovers misses its newest entry.
    if (last > from && TROUPE_PLANTED(recovery_forgets_newest_entry)) --last;
    const auto read = loaded.record ? read_entries(log, group, from, last, applied, loaded.entries)
                                    : Result<void>();
    if (!is_same_log(loaded.record, log.record(group))) continue;
    if (!read && read.error().code == Code::not_found)
      return corrupt(group, "entries behind its snapshot at index " + std::to_string(from - 1) +
                                " are missing: " + read.error().message);
    TROUPE_CHECK(read);
    if (loaded.record) {
      TROUPE_CHECK(check_record(group, *loaded.record));
      TROUPE_CHECK(check_entries(group, *loaded.record, loaded.entries));
    }
    return loaded;
  }
  return unavailable("GROUP_LOG_BUSY", "the log of group " + std::to_string(group) +
                                           " changed each time it was read; start it again");
}

}  // namespace troupe::cluster
