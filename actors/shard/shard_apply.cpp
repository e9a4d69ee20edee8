// Committed rows into the shard file: late, many in one transaction, never on the actor's thread.
#include <algorithm>
#include <utility>

#include "actors/shard/shard.hpp"
#include "runtime/rehearsal/marks.hpp"
#include "runtime/rehearsal/planted.hpp"
#include "runtime/storage/probe.hpp"

namespace troupe::actors {
namespace {

// Given to the file in one transaction; bounds the time for which loads wait behind it, and how
// much room for new rows there is all at once.
constexpr std::size_t apply_entries_max = 4096;
constexpr std::size_t apply_bytes_max = 1u << 20;
constexpr Duration apply_retry = std::chrono::milliseconds{200};
constexpr Duration sweep_every = std::chrono::seconds{1};
constexpr Duration purge_every = std::chrono::seconds{10};
constexpr std::size_t purge_rows_max = 1000;
constexpr std::size_t replies_tidied_max = 1000;

struct ApplyResult {
  runtime::ShardFile::Applied applied;
  std::uint64_t wal_bytes = 0;
  std::uint64_t entities = 0;
  std::uint64_t file_bytes = 0;
  std::shared_ptr<const wire::ShardRange> range;
};

}  // namespace

void Shard::apply_soon() {
  if (unapplied_.empty() || applying_ || apply_retrying_) return;
  if (unapplied_rows_ >= spec_.options.apply_rows_max || apply_wanted_ > applied_.index ||
      serve_at_ > 0 || state_ == State::recovering)
    return start_apply();
  if (apply_timer_) return;
  apply_timer_ = true;
  executor_->post_after(spec_.options.apply_delay_max, [this] {
    apply_timer_ = false;
    if (!unapplied_.empty() && !applying_ && !apply_retrying_) start_apply();
  });
}

void Shard::start_apply() {
  std::size_t count = 0;
  for (std::size_t bytes = 0;
       count < std::min(unapplied_.size(), apply_entries_max) && bytes < apply_bytes_max; ++count)
    bytes += unapplied_[count].payload ? unapplied_[count].payload->size() : 0;
  applying_ = std::make_shared<const Entries>(
      std::make_move_iterator(unapplied_.begin()),
      std::make_move_iterator(unapplied_.begin() + static_cast<std::ptrdiff_t>(count)));
  unapplied_.erase(unapplied_.begin(), unapplied_.begin() + static_cast<std::ptrdiff_t>(count));
  unapplied_rows_ = unapplied_.empty() ? 0 : unapplied_.size();
  files_.run<ApplyResult>(
      [entries = applying_, &disk = surroundings_.platform->disk(), path = spec_.file(generation_),
       probe = probe_, group = spec_.group](runtime::ShardFile& file) -> Result<ApplyResult> {
        if (auto done = file.apply(*entries); !done) return std::move(done).error();
        const auto applied = file.applied();
        if (probe) probe->rows_applied(group, {applied.index, applied.time_ms, applied.chain});
        const auto size = disk.size(path);
        return ApplyResult{applied, file.wal_bytes(), file.entity_count(),
                           file.wal_bytes() + (size ? *size : 0), file.range()};
      },
      [this](Result<ApplyResult> result) {
        if (!result) return apply_done(std::move(result).error());
        wal_bytes_ = result->wal_bytes;
        auto snapshot = surroundings_.vitals->get();
        snapshot.entities_stored = result->entities;
        snapshot.file_bytes = result->file_bytes;
        surroundings_.vitals->set(std::move(snapshot));
        take_range(result->range);
        apply_done(result->applied);
      });
}

void Shard::apply_done(Result<runtime::ShardFile::Applied> result) {
  if (!result) {
    const Error& why = result.error();
    if (why.code != Code::resource_exhausted) {
      // Neither rotten pages nor a failed write may be worked around: the log has everything.
      log().error("shard.apply_failed", spec_.name() + ": " + why.describe(),
                  {{"shard", spec_.name()}});
      if (why.code == Code::data_loss) return fail_(why);
      return surroundings_.platform->fail_stop(why);
    }
    TROUPE_SOMETIMES("committed rows found the disk full");
    // The disk is full. The rows are safe in the log; they wait in memory until there is space.
    unapplied_.insert(unapplied_.begin(), applying_->begin(), applying_->end());
    applying_.reset();
    apply_retrying_ = true;
    consensus_->lacks_room(true);
    make_way();
    const Error told = disk_full(why.message);
    for (auto& [index, then] : std::exchange(when_applied_, {})) then(told);
    if (serve_at_ > 0) refusal_ = told;
    if (state_ == State::recovering && serve_at_ > 0) {
      TROUPE_SOMETIMES("a shard led and could not serve because its disk was full");
      // It leads, but may not run commands before its entities can be read from the file. Reads are
      // answered from the file with the rows that wait laid over it.
      enter(State::refusing);
      run_queued();
    }
    executor_->post_after(apply_retry, [this] {
      apply_retrying_ = false;
      apply_soon();
    });
    return;
  }
  for (const auto& entry : *applying_)
    unapplied_bytes_ -= entry.payload ? entry.payload->size() : 0;
  files_.dispose(std::exchange(applying_, nullptr));
  applied_ = *result;
  consensus_->lacks_room(false);
  replies_.applied(applied_.index);
  static_cast<void>(consensus_->note_applied(applied_.index));
  while (!when_applied_.empty() && when_applied_.begin()->first <= applied_.index) {
    auto then = std::move(when_applied_.begin()->second);
    when_applied_.erase(when_applied_.begin());
    then({});
  }
  if (serve_at_ > 0 && applied_.index >= serve_at_) serve();
  if (checkpoint_wanted_ || wal_bytes_ >= spec_.options.checkpoint_wal_bytes ||
      applied_.index - checkpointed_ >= spec_.options.checkpoint_entries)
    start_checkpoint();
  publish();
  if (surroundings_.rows_applied) surroundings_.rows_applied();
  tend_split();
  apply_soon();
  if (state_ == State::serving) resume_stalled();
}

void Shard::when_applied(runtime::LogIndex index, std::function<void(const Result<void>&)> then) {
  if (index <= applied_.index) return then({});
  when_applied_.emplace(index, std::move(then));
  apply_wanted_ = std::max(apply_wanted_, index);
  apply_soon();
}

void Shard::request_checkpoint() {
  // A follower's log needs to be cut as well.
  if (state_ == State::opening || state_ == State::stopping || checkpointing_) return;
  checkpoint_wanted_ = true;
  when_applied(committed_, [this](const Result<void>& applied) {
    if (applied && checkpoint_wanted_) start_checkpoint();
  });
}

void Shard::start_checkpoint() {
  if (checkpointing_) return;
  checkpointing_ = true;
  checkpoint_wanted_ = false;
  TROUPE_SOMETIMES_IF(open_ || !in_flight_.empty(), "a checkpoint began while commands waited");
  files_.run<runtime::ShardFile::Applied>(
      [probe = probe_, group = spec_.group](runtime::ShardFile& file) {
        auto done = file.checkpoint();
        if (done && probe) probe->checkpointed(group, done->index);
        return done;
      },
      [this](Result<runtime::ShardFile::Applied> result) {
        checkpointing_ = false;
        wal_bytes_ = 0;
        if (!result) {
          log().warn("shard.checkpoint_failed", spec_.name() + ": " + result.error().describe(),
                     {{"shard", spec_.name()}});
          TROUPE_SOMETIMES("a checkpoint failed");
          if (result.error().code == Code::resource_exhausted)
            return;  // tried again after later rows
          if (result.error().code == Code::data_loss) return fail_(result.error());
          return surroundings_.platform->fail_stop(result.error());
        }
        checkpointed_ = result->index;
        auto snapshot = surroundings_.vitals->get();
        snapshot.checkpointed = result->index;
        surroundings_.vitals->set(std::move(snapshot));
        consensus_->checkpointed(result->index, result->term, generation_);
      });
}

void Shard::sweep() {
  executor_->post_after(sweep_every, [this] {
    if (state_ == State::stopping) return;
    passivate();
    replies_.tidy(replies_tidied_max);
    tend_split();
    if (state_ == State::serving && now() >= next_purge_) purge();
    publish();
    sweep();
  });
}

// Drops entities that were not used for long, or too many, least recently used first. One that is
// busy, or that a batch touched which the file does not hold yet, stays.
void Shard::passivate() {
  const MonotonicTime time = now();
  for (Resident* resident = residents_.oldest(); resident;) {
    Resident* const next = resident->newer;
    const bool idle = time - resident->last_used >= spec_.options.passivate_after;
    if (!idle && residents_.bytes() <= spec_.options.resident_bytes_max) break;
    // Planted: an entity leaves memory although the file lacks rows of it.
    const bool in_file =
        resident->last_batch <= applied_.index || TROUPE_PLANTED(passivated_before_applied);
    TROUPE_SOMETIMES_IF(!in_file, "an entity stayed in memory because the file lacked rows of it");
    if (!resident->busy && !resident->in_open_batch && in_file) {
      TROUPE_SOMETIMES_IF(idle, "an entity that was not used for long left memory");
      TROUPE_SOMETIMES_IF(!idle, "an entity left memory because all took too much");
      residents_.remove(*resident);
    }
    resident = next;
  }
}

// Rows of replies whose window is over leave by the log, so that replicas stay equal.
void Shard::purge() {
  // Rows that a split is about to copy stay as they are.
  if (purging_ || split_at_ || (range_ && range_->has_split())) return;
  purging_ = true;
  const std::int64_t due_ms = shard_time();
  files_.run<std::vector<runtime::ShardFile::Due>>(
      [due_ms](runtime::ShardFile& file) { return file.due(due_ms, purge_rows_max); },
      [this, epoch = epoch_](Result<std::vector<runtime::ShardFile::Due>> due) {
        purging_ = false;
        next_purge_ = now() + purge_every;
        if (!due && due.error().code == Code::data_loss) return fail_(due.error());
        if (!due || state_ != State::serving || epoch != epoch_) return;
        if (due->size() == purge_rows_max) next_purge_ = now();
        TROUPE_SOMETIMES_IF(!due->empty(), "replies past their window were deleted");
        for (const auto& one : *due) {
          if (one.kind != wire::Row::REPLY || !owns(one.bucket)) continue;
          wire::Row& row = open_batch().add_row();
          row.set_bucket(one.bucket);
          row.set_entity(one.entity);
          row.set_kind(one.kind);
          row.set_sub(one.sub);
          row.set_change(wire::Row::DELETE);
        }
        if (open_) flush(false);
      });
}

}  // namespace troupe::actors
