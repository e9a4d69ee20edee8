// The node log: what every Raft group on this node has promised to remember.
//
// One writer for all groups: appends that wait are gathered into one SQLite transaction (WAL,
// synchronous=FULL), so that one fsync serves all of them (group commit). The log is a row of
// segment files, each a SQLite database with one table in append order; a segment is deleted once
// nothing in it is needed any more, and is never checkpointed (docs/decisions).
//
// Threads: append() and the observers of recovered state may be called from any thread; the
// writer runs on a dedicated queue of the platform's Workers and calls `done` there, so `done`
// only posts to an actor. read() blocks and belongs on a Workers queue.
//
// Errors: a full disk fails the append with RESOURCE_EXHAUSTED / DISK_FULL and the log goes on
// when space is back. A failed fsync or write stops the node (Platform::fail_stop). A rotten record
// found at open is DATA_LOSS and names file and place; a torn tail is not an error.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/platform/platform.hpp"
#include "runtime/result.hpp"
#include "runtime/storage/ids.hpp"

namespace troupe::runtime {

struct LogEntry {
  LogIndex index = 0;
  Term term = 0;
  std::uint8_t type = 0;  // the consensus engine's: command, barrier or configuration change
  SharedBytes payload;
};

// What the log keeps of a group besides entries. Written as a whole, the newest counts.
struct GroupRecord {
  Term term = 0;              // Raft's currentTerm
  std::uint64_t vote = 0;     // Raft id voted for in `term`; 0: none
  std::uint64_t replica = 0;  // our own Raft id in the group
  // The snapshot: the shard file of this generation holds everything up to `snapshot_index`
  // on disk. Entries up to there may be cut. 0: the log still starts at index 1.
  LogIndex snapshot_index = 0;
  Term snapshot_term = 0;
  // Rises when another replica's file takes the place of ours. All entries of the group go with
  // the old file: the log begins anew behind the snapshot, in the same transaction.
  std::uint64_t generation = 1;
  LogIndex configuration_index = 0;  // of `configuration`, committed
  std::string configuration = {};    // encoded by the consensus engine
};

class NodeLog {
 public:
  struct Options {
    std::uint64_t segment_bytes = 64ull << 20;    // a new segment is begun past this size
    std::uint64_t reserve_bytes = 16ull << 20;    // preallocated, given up when the disk is full
    std::size_t commit_entries_max = 4096;        // entries in one transaction
    std::uint64_t commit_bytes_max = 8ull << 20;  // bytes in one transaction
  };

  // Opens or creates the log in `folder`, which the caller has locked. Blocks.
  static Result<std::unique_ptr<NodeLog>> open(Platform& platform, const std::string& folder,
                                               Options options);
  virtual ~NodeLog() = default;  // waits for the writer; no append may be in flight

  // One group's request. All of it becomes durable in one transaction, in this order: record, then
  // entries. Appends of one group become durable in the order of the calls. An entry with an index
  // at or before the group's last one truncates the log from there.
  struct Append {
    GroupId group = 0;
    std::optional<GroupRecord> record = std::nullopt;
    std::vector<LogEntry> entries = {};
    // On the writer's thread, after the fsync (or the failure). Must not block. After a failure
    // the later appends of the group that were waiting fail as well, so that no gap appears. May be
    // null.
    std::function<void(const Result<void>&)> done = nullptr;
  };
  virtual void append(Append append) = 0;

  // What was recovered or has been made durable since. Nullopt: the group was never here.
  virtual std::optional<GroupRecord> record(GroupId group) const = 0;
  virtual LogIndex first_index(GroupId group) const = 0;  // 0: no entries
  virtual LogIndex last_index(GroupId group) const = 0;   // 0: no entries
  virtual std::vector<GroupId> groups() const = 0;

  // Entries [from, to] of a group, in order. Blocks. NOT_FOUND if some of them were cut.
  virtual Result<std::vector<LogEntry>> read(GroupId group, LogIndex from, LogIndex to) = 0;

  // A GroupRecord with a higher snapshot_index cuts the group's entries up to there; segments that
  // nothing needs are deleted in the background. These are the groups that hold the oldest
  // segments back while there are more than `segments` of them: they should checkpoint.
  virtual std::vector<GroupId> laggards(std::size_t segments) const = 0;

  struct Stats {
    std::uint64_t commits = 0, entries = 0, bytes = 0;  // since open
    std::uint64_t segments = 0, segment_bytes = 0;      // on disk now
    std::uint64_t wakeups = 0;                          // times the writer had to be woken
    bool disk_full = false;                             // appends are refused until space is back
  };
  virtual Stats stats() const = 0;
};

}  // namespace troupe::runtime
