// What a shard needs of replication. Implemented by cluster/replication on C-Raft; a part of the
// shard's actor: every call and every callback happens inside that actor.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/result.hpp"
#include "runtime/storage/ids.hpp"
#include "runtime/storage/node_log.hpp"
#include "runtime/time.hpp"

namespace troupe::actors {

// Runs a closure inside the shard's actor, now-ish or later; from any thread. Closures for an actor
// that has ended are dropped.
class Executor {
 public:
  virtual ~Executor() = default;
  virtual void post(std::function<void()> job) = 0;
  virtual void post_after(Duration delay, std::function<void()> job) = 0;
};

// How the shard hears of its group.
class ConsensusObserver {
 public:
  virtual ~ConsensusObserver() = default;

  // The entry is committed and durable here. In index order, each once, beginning behind the index
  // given to start(). Payload is null for entries that carry none (barriers, configurations).
  virtual void on_committed(runtime::LogIndex index, runtime::Term term,
                            runtime::SharedBytes payload) = 0;

  // This replica leads: every entry that it held at its election and one of its own term have been
  // handed to on_committed(). From here on propose() works.
  virtual void on_leading(runtime::Term term) = 0;

  // Proposals that are not committed yet have an unknown outcome; propose() refuses until
  // on_leading() comes again. `why` is another reason than NOT_LEADING if entries could not be
  // stored (a full disk): RESOURCE_EXHAUSTED if there is no other replica that could lead.
  virtual void on_not_leading(const Error& why) = 0;

  // This replica has begun without leading, or another leads than before: it hears of what others
  // commit. `why` is what to answer to commands. on_leading() may come at any time, or never.
  virtual void on_following(const Error& why) { static_cast<void>(why); }

  // Nobody leads, as far as this replica knows, which stands for election. on_following() or
  // on_leading() comes when somebody does.
  virtual void on_leaderless() {}

  // This replica leads, and status() names other members than before.
  virtual void on_members_changed() {}

  // --- files: a replica that lags behind what the leader's log has cut off gets the leader's file

  // Where the shard's file of a generation lies. A file of a later generation than the log names is
  // nobody's: the group writes what it is sent there.
  virtual std::string file_of(std::uint64_t generation) const {
    static_cast<void>(generation);
    return {};
  }
  // What a shard file holds.
  struct FileContent {
    runtime::LogIndex index = 0;
    runtime::Term term = 0;
  };
  using FileDone = std::function<void(Result<FileContent>)>;
  // Makes `path` a copy of the shard's file as it is at some moment from now.
  virtual void copy_file(const std::string& path, FileDone done) {
    static_cast<void>(path);
    done(no_files());
  }
  // Reads all of the file of that generation, which lies there complete and synced: whether it is
  // this shard's, and sound.
  virtual void inspect_file(std::uint64_t generation, FileDone done) {
    static_cast<void>(generation);
    done(no_files());
  }
  // The log names the file of a later generation now and begins behind it. The group does nothing
  // any more: the shard starts again with that file and a new group.
  virtual void on_file_replaced() {}

  // This replica leads, and is to leave the group: the observer is to call hand_over_to(node) when
  // it can. False: it leaves that to the group, which does so at once.
  virtual bool on_hand_over_wanted(const std::string& node) {
    static_cast<void>(node);
    return false;
  }

  // The group cannot go on (rotten log, engine error). The shard's actor ends with this error.
  virtual void on_failed(const Error& why) = 0;

 private:
  static Error no_files() { return unimplemented("NO_SHARD_FILES", "this observer has no files"); }
};

// The order to go on alone, because a majority of the group is gone for good: this replica becomes
// the only voter, under a new Raft id. Whoever gives it has compared the replicas that are left
// (cluster/node_recovery.hpp); what was seen of this one must still be true.
struct RecoveryOrder {
  std::uint64_t replica = 0;  // Raft id
  runtime::LogIndex last = 0;
  runtime::Term last_term = 0;
  runtime::Term term = 0;              // well above all that any replica can have seen
  std::vector<std::string> lost = {};  // nodes
};

class Consensus {
 public:
  virtual ~Consensus() = default;

  // Reads what the log has behind `applied` and starts the engine. Asynchronous; the observer hears
  // the rest. `applied`: what the shard file holds.
  virtual void start(runtime::LogIndex applied) = 0;

  // Appends one entry; its index is returned at once and on_committed() follows. UNAVAILABLE /
  // NOT_LEADING if this replica does not lead.
  virtual Result<runtime::LogIndex> propose(runtime::SharedBytes payload) = 0;

  // For a linearizable read: calls back once a majority confirmed that this replica still led its
  // term after the call. With one voter at once. Calls that wait share a round of messages.
  virtual void confirm_leadership(std::function<void(const Result<void>&)> confirmed) = 0;

  // Whether this replica is the group's only voter. Then no other can lead, and what it has
  // committed may be read without confirmation, even while a full disk keeps it from writing.
  virtual bool sole_voter() const { return false; }

  // The shard file holds all up to `applied`, which never falls. Returns the latest moment of which
  // this replica knows that nothing behind it was committed then: by a leader's word, which counts
  // from when it came, or because it leads. Nullopt: it has heard of none since it was made.
  virtual std::optional<MonotonicTime> note_applied(runtime::LogIndex applied) {
    static_cast<void>(applied);
    return std::nullopt;
  }

  // The shard file of this generation cannot lose anything up to `index` any more: takes a snapshot
  // marker there and cuts the log behind it.
  virtual void checkpointed(runtime::LogIndex index, runtime::Term term,
                            std::uint64_t generation) = 0;

  // Lets another voter lead, once everything that was proposed is committed; propose() refuses
  // meanwhile. Calls back with whether leadership is gone, within seconds, and at once if this
  // replica does not lead or nobody else could.
  virtual void hand_over(std::function<void(bool)> done) { done(false); }
  // The same to the voter on that node, or to nobody.
  virtual void hand_over_to(const std::string& node, std::function<void(bool)> done) {
    static_cast<void>(node);
    done(false);
  }

  // The nodes where its replicas are to be have changed.
  virtual void places_changed() {}

  // Whether this replica leads, and every member votes and is where it is to be, by what is
  // committed.
  virtual bool settled() const { return true; }
  // While it leads: no change of the members is begun.
  virtual void hold_members(bool hold) { static_cast<void>(hold); }

  // What this replica has to do outside of its log and file for the entry `index`, and for those
  // before it, is done and durable. The group tells whoever leads it.
  virtual void did_part(runtime::LogIndex index) { static_cast<void>(index); }
  // While it leads: whether one of these replicas (Raft ids) has not said so and may still. Not one
  // that is lost, as its node says, nor one that is to be elsewhere.
  virtual bool awaits_part(runtime::LogIndex index,
                           const std::vector<std::uint64_t>& replicas) const {
    static_cast<void>(index);
    static_cast<void>(replicas);
    return false;
  }

  // Whether the disk has no space for what the shard file is to hold. The group then tells whoever
  // leads it, and lets others lead rather than this replica.
  virtual void lacks_room(bool lacks) { static_cast<void>(lacks); }

  // Whether this replica leads and hand_over() would let a voter lead that does not lack room.
  virtual bool other_has_room() const { return false; }

  // Obeys, durably, before it calls back. Errors, after which nothing has changed:
  // FAILED_PRECONDITION / RECOVERY_REFUSED says why; those of the log.
  virtual void recover(const RecoveryOrder& order, std::function<void(const Result<void>&)> done) {
    static_cast<void>(order);
    done(unimplemented("RECOVERY_REFUSED", "this group cannot be recovered"));
  }

  struct Voter {
    std::uint64_t replica = 0;
    std::string node;
  };
  struct Status {
    // "leader", "follower" (it votes), "candidate", "catching up" (it does not vote yet), "absent"
    // (the group does not know it), "starting"
    std::string role;
    runtime::Term term = 0;
    runtime::LogIndex commit = 0;
    runtime::LogIndex last = 0;
    runtime::LogIndex snapshot = 0;
    std::uint64_t replica = 0;               // Raft id; 0: none
    runtime::Term last_term = 0;             // of entry `last`
    std::optional<WallTime> recovered = {};  // when, if in this process
    std::string leader = {};  // name of the node that leads, as far as is known; empty: not known
    // Of a leader: the committed configuration, and the index of the entry that made it so.
    struct Member {
      std::string node;
      bool voter = false;
    };
    std::vector<Member> members = {};
    runtime::LogIndex members_index = 0;
  };
  virtual Status status() const = 0;
  // By the newest configuration, committed or not.
  virtual std::vector<Voter> voters() const { return {}; }
};

// Made inside the shard's actor for one group.
using ConsensusFactory = std::function<std::unique_ptr<Consensus>(
    runtime::GroupId group, Executor& executor, ConsensusObserver& observer)>;

}  // namespace troupe::actors
