// Always-on checks of a world's replicas, from what the product's own code tells about them
// (runtime/storage/probe.hpp), at every step and for all nodes and lives:
//
//  1. Every leadership has a term of its own: a group and term have one leader, once.
//  2. What is committed at an index is the same on every replica and after every restart, without a
//     gap. Rows in a shard file have the chain that follows from it, and shard time never falls.
//  3. A shard is handed every entry once and in order, beginning behind what its file holds.
//  4. A reply leaves only when all that it depends on was handed out, which only what is synced in
//     this node's log may be. What is synced is there again after every restart, and nothing is
//     written over that was handed out.
//  5. Rows stay in a shard's file as long as the process lives, and what is checkpointed for ever.
//  6. The log is cut behind nothing that is not checkpointed, in our file or in one that another
//     replica sent, which holds what was committed.
//  7. Where the voters of a group are known, an entry is committed only when a majority of those
//     who vote by then has it synced, with its term.
//  8. Every replica that founds one of a shard that is split off makes the same rows for it.
//  9. A replica that its group did not remove does not forget what it has.
// 10. Where an operator lets one replica go on alone, it has every committed entry that is in the
//     log of any replica that is left, and nobody leads in an earlier term any more.
//
// All but the last is about each node's own copy: the product hands nothing out that is not durable
// here.
//
// One object per world. It knows nothing of what a fault may destroy: whoever takes away a disk
// says so with forgive(), and who lets the log rot with log_rotted().
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "runtime/storage/probe.hpp"
#include "runtime/time.hpp"
#include "simulations/checks/synced_entries.hpp"

namespace troupe::simulations {

class ReplicaChecks {
 public:
  // `violated` gets a sentence with node, group and index and does not return, but in tests of this
  // class; after that nothing more is checked.
  using Violated = std::function<void(const std::string& what)>;
  // `now` is asked for the times in losses.
  using Now = std::function<Duration()>;
  explicit ReplicaChecks(Violated violated, Now now = {})
      : violated_(std::move(violated)), now_(std::move(now)) {}
  ReplicaChecks(const ReplicaChecks&) = delete;
  ReplicaChecks& operator=(const ReplicaChecks&) = delete;

  // The ear of one life of a node: what it hears once `over` is not counted, because a process that
  // is dying has no effect any more.
  std::unique_ptr<runtime::Probe> listen(const std::string& node, std::function<bool()> over);

  // The nodes that vote in a group, and may be replaced on the same node. Before it is made.
  void expect_voters(runtime::GroupId group, std::set<std::string> nodes) {
    voters_[group] = std::move(nodes);
  }

  // The nodes of a group's voters: by the newest configuration that is committed.
  std::set<std::string> voters(runtime::GroupId group) const;

  // A voter whose file lacks rows that were committed by then, in words.
  std::optional<std::string> behind(Duration committed_by = Duration::max()) const;

  // The node's disk is gone or was damaged: from its next life on, what it promised before counts
  // no more, and what its groups committed neither, unless another node was handed it, too.
  void forgive(const std::string& node) { forgiven_.insert(node); }

  // All disks are gone, and what comes is another cluster with these voters, whose groups begin
  // where their files stand that are opened first.
  void begin_another_cluster(std::map<runtime::GroupId, std::set<std::string>> voters);

  // A byte of the node's log rotted. What was synced stays promised, but for the newest transaction
  // of the log: when the log is opened next it may be gone, and its entries are then told to
  // `on_lost`. That is the one gap of the log, see docs/decisions/0002.
  void log_rotted(const std::string& node) { rotten_.insert(node); }

  // Entries of the group behind `last` were lost: like that, having been synced since `since`, or
  // with the majority, having been committed since then.
  struct Loss {
    std::string node;
    runtime::GroupId group = 0;
    runtime::LogIndex last = 0;
    Duration since{};
  };
  std::function<void(const Loss&)> on_lost;
  // An operator's order lets the node's replica of the group go on alone.
  std::function<void(const std::string& node, runtime::GroupId group)> on_alone;
  // A node was handed an entry, also once more after a restart. May be empty.
  std::function<void(const std::string& node, runtime::GroupId group,
                     const runtime::SharedBytes& payload)>
      on_delivered;

  // Of the entries that a group has committed, each once.
  std::uint64_t committed_bytes(runtime::GroupId group) const;

  // How much was heard: a run in which nothing was has checked nothing.
  struct Counts {
    std::uint64_t leaderships = 0, committed = 0, recovered = 0, applied = 0, checkpoints = 0,
                  cuts = 0, replies = 0;
  };
  const Counts& counts() const { return counts_; }

 private:
  using GroupId = runtime::GroupId;
  using LogIndex = runtime::LogIndex;
  using Term = runtime::Term;
  class Ear;

  struct Committed {
    Term term = 0;
    std::uint64_t content = 0;  // checksum of its payload; 0: none
    std::uint64_t chain = 0;    // as ShardFile::Applied has it after this entry
    Duration at{};              // when it was handed out first
  };
  struct Group {
    std::map<Term, std::string> leaders;
    std::map<LogIndex, Committed> committed;  // behind `base`, without a gap
    LogIndex base = 0;
    std::uint64_t base_chain = 0;
    std::uint64_t bytes = 0;                 // of all payloads that were committed
    bool any_base = false;                   // it is where the next file stands that is opened
    std::map<LogIndex, std::int64_t> times;  // shard time of rows, by the file's index
    std::set<std::string> nodes;             // that were handed entries
    // What was committed behind it was lost, and counts until something else is committed there:
    // the shard file may still hold its rows.
    std::optional<LogIndex> lost_behind;
    std::multimap<LogIndex, std::uint64_t> lost_chains;  // of entries that were committed and lost
    // Who votes from an entry on, by its index and term; also of entries that were written over.
    std::map<std::pair<LogIndex, Term>, std::set<std::string>> changes;
    Term alone_since = 0;  // nobody leads in an earlier one any more
  };
  // What a node has of a group.
  struct Replica {
    LogIndex durable = 0;       // the newest in its log
    LogIndex delivered = 0;     // handed out in any life, or found in the file
    LogIndex checkpointed = 0;  // in any life
    LogIndex applied = 0;       // in this life
    LogIndex next = 0;          // to be handed out; 0: the shard has not begun
    LogIndex received = 0;      // of another replica's file that may take the place of ours
    std::uint32_t life = 0;     // of the process that told something last
    bool has_file = false;      // a log may be used without, in a test of its own
    bool forgets = false;       // it was removed from its group, and may begin anew
  };

  // The newest transaction of a node's log.
  struct Transaction {
    Duration at{};
    std::map<GroupId, LogIndex> first;  // entry of each group in it
  };

  bool was_lost(const Ear& ear, GroupId group, LogIndex last);
  Replica& replica(const Ear& ear, GroupId group, bool recovered = false);
  template <class What>
  void require(bool holds, const Ear& ear, GroupId group, const What& what);
  void start_afresh(const std::string& node);

  void log_committed(const Ear& ear);
  void log_recovered(const Ear& ear, GroupId group, LogIndex snapshot, LogIndex last);
  void entry_durable(const Ear& ear, GroupId group, LogIndex index, Term term);
  void log_cut(const Ear& ear, GroupId group, LogIndex index);
  static void begin_anew(Replica& replica);
  void leads(const Ear& ear, GroupId group, std::uint64_t id, Term term);
  void delivered(const Ear& ear, GroupId group, LogIndex index, Term term,
                 const runtime::SharedBytes& payload);
  void forgets(const Ear& ear, GroupId group);
  void voters_change(GroupId group, LogIndex index, Term term,
                     const std::vector<std::string>& nodes);
  std::vector<const std::set<std::string>*> who_decides(GroupId group, LogIndex index,
                                                        Term term) const;
  void check_majority(const Ear& ear, GroupId group, LogIndex index, Term term);
  void goes_on_alone(const Ear& ear, GroupId group, Term term,
                     const std::vector<std::string>& lost);
  static void begin_behind_loss(Group& group);
  static bool is_lost_history(const Group& group, const runtime::Probe::Rows& rows);
  void commit(const Ear& ear, GroupId group, LogIndex index, Committed entry);
  void file_opened(const Ear& ear, GroupId group, const runtime::Probe::Rows& rows);
  void rows_applied(const Ear& ear, GroupId group, const runtime::Probe::Rows& rows);
  void check_rows(const Ear& ear, GroupId group, const runtime::Probe::Rows& rows);
  void checkpointed(const Ear& ear, GroupId group, LogIndex index);
  void file_received(const Ear& ear, GroupId group, const runtime::Probe::Rows& rows);
  void founded(const Ear& ear, GroupId group, const runtime::Probe::Rows& rows,
               const std::vector<std::string>& voters);
  void take_file(const Ear& ear, GroupId group, LogIndex snapshot);
  void replied(const Ear& ear, GroupId group, LogIndex index);

  const Violated violated_;
  const Now now_;
  bool broken_ = false;
  std::uint32_t lives_ = 0;
  std::set<std::string> forgiven_;             // until their next life
  std::set<std::string> rotten_;               // logs, until they are opened
  std::map<std::string, Transaction> newest_;  // by node
  std::map<GroupId, Group> groups_;
  std::map<GroupId, std::set<std::string>> voters_;
  std::map<GroupId, runtime::Probe::Rows> founded_;  // what groups of split-off shards began with
  // Of lost disks, too: what a leader was told before it was lost counts.
  std::map<std::pair<std::string, GroupId>, SyncedEntries> synced_;
  std::map<std::pair<std::string, GroupId>, Replica> replicas_;
  Counts counts_;
};

}  // namespace troupe::simulations
