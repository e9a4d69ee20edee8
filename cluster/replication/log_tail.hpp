// The newest entries of one group's log in memory, and the terms of all that are not cut off.
//
// Payloads are shared with the log's writer and with the rows to apply. Entries leave memory from
// the front once nobody needs them soon (drop) and from the back when another leader's replace them
// (truncate). Terms stay until a snapshot covers them (cut). Not thread-safe.
#pragma once

#include <deque>
#include <vector>

#include "runtime/storage/node_log.hpp"

namespace troupe::cluster {

class LogTail {
 public:
  // An empty log that begins behind a snapshot; 0, 0: behind nothing.
  void reset(runtime::LogIndex snapshot, runtime::Term snapshot_term);

  // The entry must follow the last one.
  void append(runtime::LogEntry entry);

  // Forgets the entries from `from` on; behind the snapshot.
  void truncate(runtime::LogIndex from);

  // Moves the snapshot up to an entry of the log.
  void cut(runtime::LogIndex snapshot);

  // Lets go of the payloads up to `to`.
  void drop(runtime::LogIndex to);

  runtime::LogIndex snapshot() const { return snapshot_; }
  runtime::LogIndex last() const { return last_; }
  runtime::Term last_term() const { return term_of(last_); }

  // 0: cut off, or not there yet.
  runtime::Term term_of(runtime::LogIndex index) const;

  // Null: not in memory.
  const runtime::LogEntry* find(runtime::LogIndex index) const;

  // Index of the oldest entry in memory; last() + 1: none.
  runtime::LogIndex first_in_memory() const { return last_ + 1 - entries_.size(); }

  // Payload bytes in memory behind `index`.
  std::uint64_t bytes_behind(runtime::LogIndex index) const;

 private:
  struct Held {
    runtime::LogEntry entry;
    std::uint64_t bytes_end = 0;  // of all payloads ever appended up to this one
  };
  struct Run {
    runtime::LogIndex first = 0;  // of the entries of one term in a row
    runtime::Term term = 0;
  };

  runtime::LogIndex snapshot_ = 0;
  runtime::LogIndex last_ = 0;
  std::uint64_t bytes_end_ = 0;
  std::deque<Held> entries_;  // the last ones
  std::vector<Run> runs_;     // the first covers the snapshot itself
};

}  // namespace troupe::cluster
