// What replicas do, told to somebody who checks it: a simulation's always-on checks. On an
// operating system nobody listens (Platform::probe() is null) and nothing is told; what a fact
// needs is at hand where it is told, so that it costs a test of a pointer.
//
// A fact is told after it is true and before anything follows from it: an entry is durable before
// it is delivered, delivered before a reply leaves on its strength.
//
// Threads: facts come from where they arise: the log's writer, a shard's file queue, its actor.
// Implementations must neither block nor call back into the node.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/storage/ids.hpp"

namespace troupe::runtime {

class Probe {
 public:
  virtual ~Probe() = default;

  // --- the node log
  // What the log holds of a group, told once for every group when the log has been opened: entries
  // behind `snapshot` up to `last`; `last` is at least `snapshot`.
  virtual void log_recovered(GroupId group, LogIndex snapshot, LogIndex last) = 0;
  // A transaction of the log is synced; what it made durable is told next, nothing else between.
  virtual void log_committed() = 0;
  // The entry is synced; those behind it, if there were any, are gone.
  virtual void entry_durable(GroupId group, LogIndex index, Term term) = 0;
  // Entries up to there are not needed from the log any more, and may be gone.
  virtual void log_cut(GroupId group, LogIndex index) = 0;

  // --- the group
  virtual void leads(GroupId group, std::uint64_t replica, Term term) = 0;
  // Committed, and handed to the shard. Payload is null for entries without rows.
  virtual void delivered(GroupId group, LogIndex index, Term term, const SharedBytes& payload) = 0;

  // The group has removed this replica: it is about to begin anew, with an empty log and file, and
  // what it promised counts no more.
  virtual void forgets(GroupId group) { static_cast<void>(group); }

  // The log has an entry, maybe not synced yet, from which on these nodes' replicas vote. It may be
  // written over as any other.
  virtual void voters(GroupId group, LogIndex index, Term term,
                      const std::vector<std::string>& nodes) {
    static_cast<void>(group);
    static_cast<void>(index);
    static_cast<void>(term);
    static_cast<void>(nodes);
  }
  // By an operator's order, who gives these nodes up, this replica is about to become the only
  // voter, and all that its log holds to be committed. Whoever leads afterwards has a term from
  // this one on.
  virtual void goes_on_alone(GroupId group, Term term, const std::vector<std::string>& lost) {
    static_cast<void>(group);
    static_cast<void>(term);
    static_cast<void>(lost);
  }

  // --- the shard and its file
  // What the file says of itself; see ShardFile::Applied.
  struct Rows {
    LogIndex index = 0;
    std::int64_t time_ms = 0;
    std::uint64_t chain = 0;
  };
  // The shard begins: it is handed the entries behind these rows.
  virtual void file_opened(GroupId group, const Rows& rows) = 0;
  virtual void rows_applied(GroupId group, const Rows& rows) = 0;
  // The file cannot lose rows up to there any more.
  virtual void checkpointed(GroupId group, LogIndex index) = 0;
  // A whole file from another replica is here and synced. It takes the place of the shard's file
  // once the log is cut at its index.
  virtual void file_received(GroupId group, const Rows& rows) = 0;
  // The file of a new shard is here and synced, made of the rows of one that is split. It counts
  // once the log has a snapshot at its index. These nodes vote in its group at first.
  virtual void founded(GroupId group, const Rows& rows, const std::vector<std::string>& voters) {
    static_cast<void>(group);
    static_cast<void>(rows);
    static_cast<void>(voters);
  }
  // A reply left that depends on entries up to there.
  virtual void replied(GroupId group, LogIndex index) = 0;
};

}  // namespace troupe::runtime
