// A shard: hosts the entities of one part of a service's keys, owns their file, proposes their
// effects to its Raft group.
//
// The way of a command: handle() -> entity handler -> rows in the open batch -> one Raft entry ->
// on_committed() -> the reply leaves -> rows are applied to the file, late and many at once.
//
// What it guarantees (architecture.md, Effects and batches): nothing leaves on the strength of what
// has not committed; a command takes effect once within its window; an entity is loaded or dropped
// only when no batch that touched it is unapplied; when a batch fails, everything that saw it is
// dropped.
//
// Reads that may be stale (Request::stale) are another way: they run on any replica, over an entity
// that is made of the file's rows for the one read and shares nothing with those in memory. Only a
// replica that votes alone, and serves, answers them like any other read.
//
// This class is the state machine alone: it runs inside its actor (shard_actor.hpp), never blocks,
// and sees the world through Executor, ShardFiles and Consensus. No method is thread-safe.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/shard/batch.hpp"
#include "actors/shard/consensus.hpp"
#include "actors/shard/options.hpp"
#include "actors/shard/quarantine.hpp"
#include "actors/shard/reply_memory.hpp"
#include "actors/shard/resident.hpp"
#include "actors/shard/shard_files.hpp"
#include "actors/shard/shard_spec.hpp"
#include "actors/shard/splits.hpp"
#include "actors/shard/vitals.hpp"
#include "runtime/platform/platform.hpp"

namespace troupe::actors {

// Another replica's file takes the place of this shard's: see
// ConsensusObserver::on_file_replaced().
inline constexpr char file_replaced_reason[] = "SHARD_FILE_REPLACED";

// What a shard stands on. Outlives it.
struct ShardSurroundings {
  runtime::Platform* platform = nullptr;
  runtime::NodeLog* log = nullptr;
  ConsensusFactory consensus;
  std::shared_ptr<runtime::WorkQueue> queue;  // of this shard, kept over restarts
  std::shared_ptr<ShardVitals> vitals;
  // After the vitals say so, inside the actor; may be empty.
  std::function<void()> state_changed;
  std::function<void()> rows_applied = {};
  // Null: it is never split.
  std::shared_ptr<ShardSplits> splits = nullptr;
};

class Shard final : private ConsensusObserver {
 public:
  // `fail` ends the actor with an error; its supervisor decides what then. The reason
  // file_replaced_reason is no failure: the shard is to be made and started again at once.
  Shard(ShardSpec spec, ShardSurroundings surroundings, std::shared_ptr<Executor> executor,
        std::function<void(const Error&)> fail);
  ~Shard() override;
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  // Opens the file, recovers from the log, leads, serves.
  void start();

  // A call for one of this shard's keys. Answers it sooner or later.
  void handle(RequestPtr request);

  // If it leads, lets another replica do so, within seconds, and calls back; at once if it does
  // not, or nobody else could. Commands that come meanwhile wait. `node`: the one that is to lead,
  // or nobody else; empty: any.
  void hand_over(std::function<void()> done, const std::string& node = {});

  // From now on these hold, but for the page cache, which a file gets when it is opened, and for
  // the windows in which replies are kept: what was stored was stored for those of its time.
  void set_options(const ShardOptions& options);

  // An order to split it may have come.
  void look_for_splits() { tend_split(); }

  // Consensus::places_changed().
  void places_changed() {
    if (consensus_) consensus_->places_changed();
  }

  // Refuses what comes from now on, lets proposed batches commit and their replies leave, then
  // calls back.
  void stop(std::function<void()> stopped);

  // Up to which index anything that was answered rests on, if this replica leads; by then it has
  // confirmed that it does. UNAVAILABLE: it does not, or does not serve yet.
  void mark(std::function<void(Result<runtime::LogIndex>)> done);

  // Makes `path` a copy of the file as soon as that holds all up to `index`, and calls `begun`
  // before. What the copy holds; `done` is dropped if the shard ends or begins anew before.
  struct Backup {
    runtime::ShardFile::Applied applied;
    std::uint64_t entities = 0;
  };
  void back_up(runtime::LogIndex index, const std::string& path, std::function<void()> begun,
               std::function<void(Result<Backup>)> done);

  // Checkpoints the file soon, so that the log can be cut (NodeLog::laggards).
  void request_checkpoint();

  // What its group says of itself; of a shard that is opening: nothing.
  Consensus::Status group() const {
    return consensus_ ? consensus_->status() : Consensus::Status{};
  }
  std::vector<Consensus::Voter> voters() const {
    return consensus_ ? consensus_->voters() : std::vector<Consensus::Voter>{};
  }
  // Consensus::recover(), and leads when it calls back. UNAVAILABLE / SHARD_STARTING while it is
  // opening.
  void recover(const RecoveryOrder& order, std::function<void(const Result<void>&)> done);

  // A page of an entity's history that was fetched for the handler that asked for it.
  struct Page;

 private:
  enum class State { opening, recovering, serving, refusing, stopping };

  // --- shard.cpp: life
  // ------------------------------------------------------------------------------
  void opened(Result<runtime::ShardFile::Applied> applied);
  void wait_for_room(const Error& why);
  void on_committed(runtime::LogIndex index, runtime::Term term,
                    runtime::SharedBytes payload) override;
  void on_leading(runtime::Term term) override;
  void on_not_leading(const Error& why) override;
  void on_following(const Error& why) override;
  void on_leaderless() override { publish(); }
  void on_members_changed() override { publish(); }
  void on_failed(const Error& why) override;
  void serve_when_applied(runtime::LogIndex index);
  void serve();
  void run_queued();
  void refuse_open_work(const Error& why);
  void drop_residents();
  void requeue(std::vector<RequestPtr> requests);
  void enter(State state);
  void stop_if_idle();

  // --- shard_handover.cpp
  bool on_hand_over_wanted(const std::string& node) override;
  void hand_over_when_idle();
  bool waits_for_hand_over(RequestPtr& request);
  bool leads() const;
  void make_way();
  Error disk_full(const std::string& message) const;

  // --- shard_copies.cpp: files from and for other replicas
  std::string file_of(std::uint64_t generation) const override;
  void copy_file(const std::string& path, FileDone done) override;
  void inspect_file(std::uint64_t generation, FileDone done) override;
  void on_file_replaced() override;

  // --- shard_apply.cpp: rows into the file
  // ------------------------------------------------------------
  void apply_soon();
  void start_apply();
  void apply_done(Result<runtime::ShardFile::Applied> result);
  void when_applied(runtime::LogIndex index, std::function<void(const Result<void>&)> then);
  void start_checkpoint();
  void sweep();
  void passivate();
  void purge();

  // --- shard_load.cpp: entities into memory
  // -----------------------------------------------------------
  void load(Resident& resident);
  void start_loads();
  void loaded(const std::string& key, Result<runtime::ShardFile::Loaded> loaded);
  runtime::LogIndex overlay_unapplied(const Resident& resident,
                                      runtime::ShardFile::Loaded& loaded) const;
  bool renew_entity(Resident& resident, std::string_view state);
  Error state_malformed(const std::string& key) const;
  void run_waiting(Resident& resident);
  Resident* still_busy(const std::string& key, std::uint64_t epoch);

  // --- shard_commands.cpp: calls ----------------------------------------------------------------
  using Pages = std::vector<Page>;
  void dispatch(RequestPtr request);
  void confirm_reads();
  void run(Resident& resident, RequestPtr request, std::shared_ptr<Pages> pages, bool known_new);
  bool refused_as_late(Request& request);
  bool refused_as_quarantined(Request& request);
  Error version_mismatch(const Resident& resident) const;
  std::uint64_t first_version();
  void handler_threw(Resident& resident, const RequestPtr& request, const std::string& what);
  void answer_thrown(const RequestPtr& request, const std::string& what);
  void answer(InFlightBatch& batch);
  void answer(Request& request, Result<Reply> reply, runtime::LogIndex index);
  void answer_when_seen(const Resident& resident, RequestPtr request, Result<Reply> reply);
  void place(Reply& reply, runtime::LogIndex index) const;

  // --- shard_lookups.cpp: what the file has to be asked for --------------------------------------
  std::optional<Error> refused_for_time(const MessageId& id);
  Duration reply_window_of(const MessageId& id) const;
  bool answer_if_ran(Resident& resident, const RequestPtr& request, const ReplyKey& key,
                     const RequestDigest& digest);
  bool may_be_stored(const Resident& resident, const RequestPtr& request,
                     const ReplyKey& key) const;
  void look_up_reply(Resident& resident, RequestPtr request, const ReplyKey& key,
                     const RequestDigest& digest);
  void fetch_history(Resident& resident, RequestPtr request, std::shared_ptr<Pages> pages);

  // --- shard_stale.cpp: reads of what the file holds, on any replica
  struct StaleRead;
  struct FileView;
  using StaleReads = std::vector<std::shared_ptr<StaleRead>>;
  void read_stale(RequestPtr request);
  void visit_for_stale_reads();
  static Result<FileView> view(runtime::ShardFile& file, const std::string& path,
                               const StaleRead& read);
  void run_stale(const std::shared_ptr<StaleRead>& read, FileView view,
                 const runtime::ShardFile::Applied& applied);
  void refuse_stale_reads(const Error& why);
  Duration age_of(const runtime::ShardFile::Applied& applied);

  // --- shard_split.cpp: the upper of its buckets become another shard's
  bool owns(runtime::Bucket bucket) const;
  bool refused_as_moved(RequestPtr& request);
  Error moved() const;
  void take_range(std::shared_ptr<const wire::ShardRange> range);
  void tend_split();
  void tend_split_soon();
  bool all_founded(const wire::ShardSplit& split) const;
  void give_up_founding();
  void begin_split(const SplitOrder& order);
  void end_split();
  void drop_rows();
  void found_split();
  void split_made(const wire::ShardSplit& split, Result<bool> made);
  void propose_range(wire::ShardRange range, std::optional<std::uint32_t> deleted_from);
  void release_moved();
  void drop_split();

  // --- shard_batches.cpp: effects ----------------------------------------------------------------
  void add_to_batch(Resident& resident, RequestPtr request, Entity::Outcome outcome,
                    const ReplyKey& key, const RequestDigest& digest);
  std::int64_t shard_time() const;
  std::int64_t time_of_run(bool read_only);
  std::int64_t read_time();
  OpenBatch& open_batch();
  bool batch_is_full() const;
  void flush(bool forced);
  void resume_stalled();

  MonotonicTime now() const { return surroundings_.platform->clock().now(); }
  runtime::Logger& log() { return surroundings_.platform->log(); }
  void publish();

  ShardSpec spec_;
  const ShardSurroundings surroundings_;
  const std::shared_ptr<Executor> executor_;
  const std::function<void(const Error&)> fail_;
  runtime::Probe* const probe_;
  ShardFiles files_;
  std::unique_ptr<Consensus> consensus_;

  State state_ = State::opening;
  runtime::LogIndex serve_at_ = 0;  // leading, and serves once this is applied; 0: not so
  std::optional<Error> refusal_;    // while refusing: why writes are refused
  bool following_ = false;          // refuses only because another replica leads, or may
  std::function<void()> stopped_;   // while stopping
  std::function<void()> handing_over_;
  std::string heir_;                                    // the node to hand it to; empty: any
  bool hand_over_begun_ = false;                        // the group has been told
  std::function<void(const Result<void>&)> recovered_;  // from recover() until it leads
  std::deque<RequestPtr> queued_;  // while opening, recovering or handing leadership over
  std::uint64_t epoch_ = 0;        // raised when residents are dropped: older completions are void
  std::uint64_t generation_ = 1;   // of the shard file

  Residents residents_;
  ReplyMemory replies_;
  Quarantine quarantine_;
  std::vector<std::string> to_load_;
  bool loading_ = false;
  std::vector<RequestPtr> unconfirmed_reads_;
  bool confirming_ = false;
  StaleReads stale_reads_;  // wait for the next visit of the file
  bool visiting_ = false;
  std::size_t waiting_ = 0;  // requests in queued_, stalled_ and residents' waiting lists

  std::int64_t time_ms_ = 0;  // shard time of the newest batch or read
  std::unique_ptr<OpenBatch> open_;
  bool flush_posted_ = false;
  std::deque<InFlightBatch> in_flight_;
  std::deque<RequestPtr> stalled_;  // a full batch waits for one in flight
  runtime::LogIndex committed_ = 0;

  using Entries = std::vector<runtime::ShardFile::Entry>;
  std::deque<runtime::ShardFile::Entry> unapplied_;  // committed, not given to the file
  std::size_t unapplied_bytes_ = 0;                  // of unapplied_ and applying_
  std::shared_ptr<const Entries> applying_;          // given to the file, not confirmed; or null
  std::size_t unapplied_rows_ = 0;                   // a lower bound: batches that carry rows
  bool apply_timer_ = false;
  bool apply_retrying_ = false;
  runtime::LogIndex apply_wanted_ = 0;  // apply up to here without waiting
  runtime::ShardFile::Applied applied_;
  std::multimap<runtime::LogIndex, std::function<void(const Result<void>&)>> when_applied_;
  std::uint64_t wal_bytes_ = 0;
  runtime::LogIndex checkpointed_ = 0;  // by this life of the shard
  bool checkpointing_ = false;
  bool checkpoint_wanted_ = false;
  std::shared_ptr<const wire::ShardRange> range_;  // as the file has it; null: never split
  std::optional<std::uint32_t> split_at_;          // proposed: from here on nothing is served
  runtime::LogIndex split_index_ = 0;              // of the entry that says so
  bool split_ending_ = false;                      // the entry that ends it is proposed
  bool split_founding_ = false;                    // its file is being made
  bool split_known_ = false;                       // the node knows where it is
  bool split_timer_ = false;
  std::vector<RequestPtr> moved_;  // wait until the new shard is here

  bool purging_ = false;
  MonotonicTime next_purge_{};
};

}  // namespace troupe::actors
