// One replica of one Raft group, as a part of its shard's actor: drives the consensus engine, keeps
// its promises in the node log, hands committed entries to the shard.
//
// What it guarantees beyond the engine:
// - Nothing is acknowledged, handed out or sent on the strength of what is not durable here: the
// term
//   and vote of a message, the entries of an acknowledgement, an entry handed to on_committed().
// - A completion that arrives after its entries were truncated or the engine was started again
//   acknowledges only what is still there.
// - Every leadership has a term of its own, a sole voter's too, so that index and term name an
// entry.
// - A full disk is no failure: the group steps down, starts again from its log until an append
//   succeeds, and leads again. What was in flight has an unknown outcome.
// - An idle group of one voter costs nothing: no timer, no wake-up.
// - A read is confirmed by a majority of the current voters, by messages alone: each says that it
// knows
//   of no later term than ours, after the read came. Reads that come while a round is under way
//   wait for the next.
// - A replica that lags behind the leader's log is sent the leader's shard file (raft_files.hpp).
// - Members change one at a time, toward the places that the group is to have (raft_members.hpp);
//   a replica that lost its past comes back as one that the group never had.
//
// Everything runs inside the actor; blocking reads run on a Workers queue. The observer is never
// called from inside start(), propose(), confirm_leadership() or checkpointed(), may call these
// from its callbacks, and must not destroy the group there.
//
// Errors given to on_failed(): DATA_LOSS with reason GROUP_LOG_CORRUPT, SHARD_BEHIND_LOG (the log
// is cut past what the shard file holds) or LOG_BEHIND_SHARD (the file holds entries that the log
// lost); INTERNAL with ENGINE_FAILED or CHECKPOINT_MISMATCH; FAILED_PRECONDITION / VOTERS_UNSOUND;
// the log's own errors.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "actors/shard/consensus.hpp"
#include "cluster/replication/engine/engine.h"
#include "cluster/replication/first_voters.hpp"
#include "cluster/replication/freshness.hpp"
#include "cluster/replication/group_log.hpp"
#include "cluster/replication/log_tail.hpp"
#include "cluster/replication/raft_exchange.hpp"
#include "cluster/replication/raft_files.hpp"
#include "cluster/replication/raft_link.hpp"
#include "cluster/replication/raft_members.hpp"
#include "cluster/replication/raft_message.hpp"
#include "cluster/replication/raft_options.hpp"
#include "runtime/platform/platform.hpp"

namespace troupe::cluster {

// What the groups of one node share.
struct RaftSurroundings {
  RaftSurroundings(runtime::Platform& platform, runtime::NodeLog& log, RaftOptions options);

  runtime::Platform& platform;
  runtime::NodeLog& log;
  const RaftOptions options;
  const std::unique_ptr<runtime::WorkQueue> reads;
  runtime::Gauge& asleep;  // how many groups are
};

// `platform` and `log` outlive the factory and the groups that it makes.
actors::ConsensusFactory make_raft_factory(runtime::Platform& platform, runtime::NodeLog& log,
                                           RaftOptions options);

class RaftGroup final : public actors::Consensus {
  using Confirmed = std::function<void(const Result<void>&)>;

 public:
  RaftGroup(std::shared_ptr<RaftSurroundings> shared, runtime::GroupId group,
            actors::Executor& executor, actors::ConsensusObserver& observer);
  ~RaftGroup() override;
  RaftGroup(const RaftGroup&) = delete;
  RaftGroup& operator=(const RaftGroup&) = delete;

  void start(runtime::LogIndex applied) override;
  // Besides NOT_LEADING: RESOURCE_EXHAUSTED / REPLICATION_QUEUE_FULL or ENTRY_TOO_LARGE;
  // nothing happened then.
  Result<runtime::LogIndex> propose(runtime::SharedBytes payload) override;
  void confirm_leadership(std::function<void(const Result<void>&)> confirmed) override;
  bool sole_voter() const override;
  std::optional<MonotonicTime> note_applied(runtime::LogIndex applied) override;
  void checkpointed(runtime::LogIndex index, runtime::Term term, std::uint64_t generation) override;
  void recover(const actors::RecoveryOrder& order, Confirmed done) override;
  Status status() const override;
  std::vector<Voter> voters() const override;

  void hand_over(std::function<void(bool)> done) override { begin_hand_over({}, std::move(done)); }
  void hand_over_to(const std::string& node, std::function<void(bool)> done) override {
    begin_hand_over(node, std::move(done));
  }
  void places_changed() override;
  bool settled() const override;
  void hold_members(bool hold) override { members_held_ = hold; }
  void did_part(runtime::LogIndex index) override { part_done_ = index; }
  bool awaits_part(runtime::LogIndex index,
                   const std::vector<std::uint64_t>& replicas) const override;
  void lacks_room(bool lacks) override { lacks_room_ = lacks; }
  bool other_has_room() const override;

  // By the newest configuration, committed or not; in its order.
  std::vector<RaftMember> members() const;
  // Changes, each by one server. They are begun when these return, and fail with the leadership.
  // NOT_LEADING, also when this replica itself is to be removed: it hands its leadership over
  // first. CHANGE_UNDER_WAY: another one is. MEMBERS_UNSUITABLE says why it cannot be.
  Result<void> add_standby(std::uint64_t replica, const std::string& node);
  Result<void> promote(std::uint64_t replica);
  Result<void> remove(std::uint64_t replica);

  // From another replica. Messages for another group or replica are dropped.
  void receive(const RaftMessage& message);

  // The link to some node has ended: nothing is known of the processes behind it any more.
  void link_lost(const std::string& node);

 private:
  enum class State {
    idle,        // start() was not called
    loading,     // the log is being read
    creating,    // the first entry of a new group is being stored, or our id in one elsewhere
    running,     // there is an engine
    waiting,     // for space on the disk
    recovering,  // we are made the only voter
    replacing,   // the record of a new shard file is being stored; then the group has done its work
    failed,
  };
  struct EngineCloser {
    void operator()(Engine* engine) const { engine_close(engine); }
  };
  struct Change {  // of the configuration
    runtime::LogIndex index = 0;
    runtime::SharedBytes bytes;
  };
  struct Flight {  // an append under way
    std::uint64_t number = 0;
    runtime::LogIndex last = 0;  // the newest of its entries that is still in our log; 0: none
  };
  struct Checkpoint {
    runtime::LogIndex index = 0;
    runtime::Term term = 0;
    std::uint64_t generation = 0;
  };

  // --- raft_group_life.cpp: starting, waiting for space, failing
  // -----------------------------------
  void load();
  void loaded(Result<GroupLog> log);
  void create();
  void create_behind(const RaftBase& base, const std::string& configuration);
  void begin(GroupLog log);
  std::optional<Error> does_not_fit(const GroupLog& log) const;
  bool open_engine(const GroupLog& log, EngineUpdate& update);
  void stop_engine();
  void store_failed(const Error& why);
  void retry();
  void fail(Error why);
  void fail_engine();

  // --- raft_group_step.cpp: what the engine wants
  // ----------------------------------------------------
  void process(const EngineUpdate& update, std::vector<runtime::LogEntry> fresh = {});
  void store(runtime::LogIndex index, std::vector<runtime::LogEntry> entries);
  void truncate(runtime::LogIndex from);
  void write(std::vector<runtime::LogEntry> entries);
  void role_changed(const EngineUpdate& update);
  void fire_configurations();
  void arm_timer();
  void timer_fired(std::uint64_t generation);
  static void appends_done(RaftGroup& group);
  void settle();
  void tell_leader();
  void deliver();

  // --- raft_group_messages.cpp: other replicas
  // ---------------------------------------------------------
  RaftMessage message_to(std::uint64_t replica, std::uint8_t type) const;
  void send_messages(const EngineUpdate& update);
  void send_from_disk(RaftMessage message);
  void send_entries(RaftMessage message);
  void send(RaftMessage message);
  void dispatch(const RaftMessage& message);
  void release_messages();
  bool is_late_rejection(const RaftMessage& message);
  void dispatch_to_engine(const RaftMessage& message);
  bool comes_from_its_node(const RaftMessage& message);

  // --- raft_group_reads.cpp
  void note_freshness(runtime::LogIndex commit);
  void begin_round();
  void ask_voters();
  void watch_round();
  void answer_confirm(const RaftMessage& message);
  void take_confirmed(const RaftMessage& message);

  // --- raft_group_sleep.cpp: the group's time, and when it stands still
  std::uint64_t real_ms() const;
  std::uint64_t now_ms() const;
  void note_asleep(bool asleep);
  void wake();
  void fall_asleep();
  void maybe_sleep();
  bool linked_with(std::uint64_t replica) const;
  bool tells_nothing(const RaftMessage& message) const;
  void take_sleep(const RaftMessage& message);
  void take_asleep(const RaftMessage& message);

  // --- raft_group_files.cpp: ours to others
  void offer_file(std::uint64_t replica, const EngineMessage& head);
  void serve_file(const RaftMessage& message);
  void make_copy();
  void copy_made(Result<actors::ConsensusObserver::FileContent> content, std::uint64_t bytes,
                 std::shared_ptr<OpenFile> file);
  void send_chunk(std::uint64_t replica, std::uint64_t offset);
  void expire_copy();
  runtime::LogIndex kept_for_copy(runtime::LogIndex cut) const;

  // --- raft_group_arrivals.cpp: others' to us
  bool holds(runtime::LogIndex index, runtime::Term term) const;
  void take_offer(const RaftMessage& message);
  void fetch();
  void take_chunk(const RaftMessage& message);
  static Result<void> write_piece(runtime::Disk& disk, const std::string& path, OpenFile& file,
                                  std::uint64_t offset, std::string_view bytes, bool last);
  void chunk_written(std::uint64_t number, std::uint64_t bytes, const Result<void>& written);
  void file_inspected(std::uint64_t number, Result<actors::ConsensusObserver::FileContent> found);
  void give_up_arrival();
  void replace_file();

  // --- raft_group_members.cpp: who is in the group
  bool votes(std::uint64_t replica) const;
  void tell_voters(const runtime::LogEntry& change) const;
  Result<void> change(const std::vector<RaftMember>& next, const char* what, std::uint64_t replica);
  Error change_refused(const std::string& why) const;
  bool heard_within(std::uint64_t replica, std::chrono::milliseconds time) const;
  void take_join(const RaftMessage& message);
  void tell_removed(const RaftMessage& message);
  void care_for_members();
  bool may_be_replaced(const RaftMember& member, const std::vector<RaftMember>& all) const;
  bool others_live(const RaftMember& member, const std::vector<RaftMember>& all) const;
  bool caught_up(std::uint64_t replica);
  std::uint64_t draw_replica_id() const;
  void join_anew();
  bool has_to_ask() const;
  void ask_if_need_be();
  void tell_leaderless();
  void ask();
  void take_removed(const RaftMessage& message);
  void forget(const char* why, runtime::LogIndex index);

  // --- raft_group_places.cpp: where its replicas are to be
  RaftPlaces places() const;
  bool is_to_leave() const;
  bool deletes_itself();
  bool is_in_place(const std::vector<RaftMember>& all) const;
  void follow_places(const RaftPlaces& wish, const std::vector<RaftMember>& all, bool crowded);
  void say_farewell();
  void stand_early(unsigned tries);

  // --- raft_group_handover.cpp
  void begin_hand_over(const std::string& node, std::function<void(bool)> done);
  void go_on_handing_over();
  bool can_serve(std::uint64_t replica) const;
  std::uint64_t choose_heir() const;
  void handed_over(bool done);

  // --- raft_group_recovery.cpp
  std::optional<Error> refuses(const actors::RecoveryOrder& order) const;
  void recovery_stored(const Result<void>& stored);

  void maybe_take_snapshot();
  bool holds_segments_back() const;
  runtime::LogIndex known_committed(runtime::LogIndex index) const;
  void fail_confirmations(const Error& why);
  Error not_leading() const;
  std::string leader_node() const;
  runtime::Logger& log() const { return shared_->platform.log(); }

  const std::shared_ptr<RaftSurroundings> shared_;
  const runtime::GroupId group_;
  actors::ConsensusObserver& observer_;
  const std::shared_ptr<RaftLink> link_;

  State state_ = State::idle;
  std::unique_ptr<Engine, EngineCloser> engine_;
  bool sole_voter_ = false;  // when there was an engine last

  runtime::GroupRecord record_;
  bool record_dirty_ = false;        // to be written with the next append
  std::uint64_t record_number_ = 0;  // of the newest append that carries it

  LogTail tail_;
  runtime::LogIndex handed_ = 0;        // the newest entry that the observer knows
  runtime::LogIndex durable_ = 0;       // the newest entry that is durable here
  std::deque<Change> changes_;          // in the log, not known to be committed
  std::vector<Change> configurations_;  // committed: as of the snapshot and later

  std::uint64_t appends_ = 0;   // number of the newest append
  std::uint64_t resolved_ = 0;  // of the newest that succeeded or failed
  std::uint64_t stored_ = 0;    // of the newest that succeeded
  std::deque<Flight> flights_;

  bool leading_ = false;             // as the observer knows it
  runtime::LogIndex own_entry_ = 0;  // the first of our term as leader; 0: not the leader
  bool lost_leadership_ = false;     // to be told
  std::uint64_t told_leader_ = 0;    // the replica that the observer of a follower knows to lead

  std::uint64_t round_ = 0;               // of confirmations, the newest
  std::vector<Confirmed> round_reads_;    // wait for it; empty: none is under way
  std::vector<std::uint64_t> round_yes_;  // voters that have answered
  std::vector<Confirmed> next_reads_;     // came while it was under way
  bool round_watched_ = false;

  bool asleep_ = false;
  std::uint64_t asleep_since_ms_ = 0;
  std::uint64_t held_back_ms_ = 0;  // for how long the group's time has stood still
  std::uint64_t last_busy_ms_ = 0;  // in the group's time
  std::set<std::uint64_t> sleepers_;
  std::map<std::uint64_t, runtime::LogIndex> acknowledged_;  // by others, while we lead

  std::map<std::uint64_t, std::string> strangers_;  // nodes of senders that we do not know

  MemberCare care_;      // while we lead
  bool asking_ = false;  // whether we are, or still are, a member
  Duration ask_pause_{};
  struct HandOver {
    bool under_way = false;
    std::uint64_t number = 0;
    std::string to;  // empty: any node
    std::vector<std::function<void(bool)>> done;
  };
  HandOver hand_over_;
  bool lacks_room_ = false;
  runtime::LogIndex part_done_ = 0;
  bool members_held_ = false;  // while we lead
  Freshness freshness_;

  FileCopy copy_;        // of our file, for others
  FileArrival arrival_;  // another's file, for us
  std::uint64_t arrivals_ = 0;
  runtime::GroupRecord replaced_;  // while replacing or recovering: the record before
  Confirmed recovery_done_;
  std::optional<WallTime> recovered_;  // when

  std::optional<Checkpoint> checkpoint_;

  bool timer_armed_ = false;
  std::uint64_t timer_at_ms_ = 0;
  std::uint64_t timer_generation_ = 0;
  Duration retry_after_{};
  bool told_full_ = false;
  std::deque<std::pair<std::uint64_t, RaftMessage>> held_;  // until that append is durable
};

}  // namespace troupe::cluster
