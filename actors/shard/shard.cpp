#include "actors/shard/shard.hpp"

#include <utility>

#include "runtime/rehearsal/marks.hpp"
#include "runtime/rehearsal/planted.hpp"
#include "runtime/storage/probe.hpp"

namespace troupe::actors {

std::string shard_file_name(const std::string& service, std::uint32_t shard,
                            std::uint64_t generation) {
  return service + "-" + std::to_string(shard) + ".g" + std::to_string(generation) + ".db";
}

std::string ShardSpec::name() const {
  return service->type->name + "/" + std::to_string(shard);
}

std::string ShardSpec::file(std::uint64_t generation) const {
  return folder + "/" + shard_file_name(service->type->name, shard, generation);
}

Shard::Shard(ShardSpec spec, ShardSurroundings surroundings, std::shared_ptr<Executor> executor,
             std::function<void(const Error&)> fail)
    : spec_(std::move(spec)),
      surroundings_(std::move(surroundings)),
      executor_(std::move(executor)),
      fail_(std::move(fail)),
      probe_(surroundings_.platform->probe()),
      files_(surroundings_.queue, executor_),
      quarantine_(spec_.options) {}

Shard::~Shard() = default;

void Shard::set_options(const ShardOptions& options) {
  const ShardOptions before = spec_.options;
  spec_.options = options;
  spec_.options.page_cache_bytes = before.page_cache_bytes;
  spec_.options.reply_window = before.reply_window;
  spec_.options.idempotency_window = before.idempotency_window;
}

void Shard::start() {
  // A file may be made only while the log still holds everything from its first entry; a file that
  // is gone after its log was cut is a loss, never silently replaced.
  const auto record = surroundings_.log->record(spec_.group);
  generation_ = record ? record->generation : 1;
  const bool create = !record || record->snapshot_index == 0;
  const runtime::LogIndex cut = record ? record->snapshot_index : 0;
  const auto range = std::make_shared<std::shared_ptr<const wire::ShardRange>>();
  files_.open(
      [range, &disk = surroundings_.platform->disk(), path = spec_.file(generation_),
       name = spec_.name(), create, cut, cache = spec_.options.page_cache_bytes,
       files = spec_.other_files(generation_)]() -> Result<std::unique_ptr<runtime::ShardFile>> {
        TROUPE_CHECK(files.remove(disk));
        auto file = runtime::ShardFile::open(disk, path, name, create, {cache});
        if (!file) return file;
        if (const auto applied = (*file)->applied().index; applied < cut)
          return data_loss("SHARD_FILE_STALE",
                           path + " holds rows up to log index " + std::to_string(applied) +
                               ", but the log was cut at " + std::to_string(cut) +
                               "; it is an older copy of the file: put the right one back");
        *range = (*file)->range();
        return file;
      },
      [this, range](Result<runtime::ShardFile::Applied> applied) {
        range_ = *range;
        opened(std::move(applied));
      });
  publish();
}

void Shard::opened(Result<runtime::ShardFile::Applied> applied) {
  if (!applied && applied.error().code == Code::resource_exhausted)
    return wait_for_room(applied.error());
  if (!applied) return fail_(applied.error());
  refusal_.reset();
  applied_ = *applied;
  committed_ = checkpointed_ = applied_.index;
  time_ms_ = applied_.time_ms;
  if (probe_) probe_->file_opened(spec_.group, {applied_.index, applied_.time_ms, applied_.chain});
  if (state_ == State::stopping) return stop_if_idle();
  files_.run<std::uint64_t>(
      [](runtime::ShardFile& file) -> Result<std::uint64_t> { return file.entity_count(); },
      [this](Result<std::uint64_t> count) {
        auto snapshot = surroundings_.vitals->get();
        snapshot.entities_stored = *count;
        surroundings_.vitals->set(std::move(snapshot));
      });
  enter(State::recovering);
  consensus_ = surroundings_.consensus(spec_.group, *executor_, *this);
  consensus_->start(applied_.index);
}

// A shard that comes to a node whose disk is full is no reason to restart anything.
void Shard::wait_for_room(const Error& why) {
  TROUPE_SOMETIMES("a shard file could not be opened because the disk was full");
  if (state_ != State::opening) return;
  log().warn("shard.no_room", spec_.name() + " waits for space: " + why.describe(),
             {{"shard", spec_.name()}});
  refusal_ = disk_full(why.message);
  constexpr Duration pause = std::chrono::seconds{1};
  executor_->post_after(pause, [this] {
    if (state_ == State::opening) start();
  });
  publish();
}

void Shard::on_committed(runtime::LogIndex index, runtime::Term term,
                         runtime::SharedBytes payload) {
  committed_ = index;
  unapplied_bytes_ += payload ? payload->size() : 0;
  unapplied_.push_back({index, term, std::move(payload)});
  if (!in_flight_.empty() && in_flight_.front().index == index) {
    InFlightBatch batch = std::move(in_flight_.front());
    in_flight_.pop_front();
    unapplied_rows_ += batch.rows;
    answer(batch);
    // Planted: replies are forgotten when they are committed and not yet in the file.
    if (TROUPE_PLANTED(replies_forgotten_at_commit)) replies_.applied(index);
  } else {
    ++unapplied_rows_;  // recovery, or another leader's: at least one row
    if (unapplied_.back().payload)
      time_ms_ = std::max(time_ms_, time_of_batch(*unapplied_.back().payload));
  }
  if (unapplied_.back().payload && may_want_to_be_applied(*unapplied_.back().payload))
    apply_wanted_ = index;
  apply_soon();
  if (state_ == State::serving) {
    if (open_) flush(false);
    resume_stalled();
  }
  hand_over_when_idle();
  stop_if_idle();
}

void Shard::on_leading(runtime::Term) {
  if (state_ == State::stopping) return;
  // Nothing runs before every entry that was held at the election is in the file: entities are read
  // from there.
  TROUPE_SOMETIMES_IF(refusal_.has_value(), "a shard led again after it had refused commands");
  refusal_.reset();
  following_ = false;
  // Until the file says that it is not being split.
  if (surroundings_.splits) consensus_->hold_members(true);
  if (const auto done = std::exchange(recovered_, nullptr)) done({});
  serve_when_applied(committed_);
}

void Shard::serve_when_applied(runtime::LogIndex index) {
  enter(State::recovering);
  serve_at_ = index;
  // Planted: commands run before the file holds all that the log held.
  if (applied_.index >= serve_at_ || TROUPE_PLANTED(serve_before_applied)) return serve();
  TROUPE_SOMETIMES("a shard had entries to apply before it served");
  apply_soon();
}

void Shard::serve() {
  serve_at_ = 0;
  refusal_.reset();
  drop_residents();
  time_ms_ = std::max(time_ms_, applied_.time_ms);
  replies_.reset(time_ms_);
  const bool first_time = next_purge_ == MonotonicTime{};
  next_purge_ = now();
  enter(State::serving);
  if (first_time) sweep();
  run_queued();
  tend_split_soon();
}

void Shard::run_queued() {
  std::deque<RequestPtr> queued = std::exchange(queued_, {});
  waiting_ -= queued.size();
  TROUPE_SOMETIMES_IF(!queued.empty(), "commands waited for a shard to start");
  for (RequestPtr& request : queued) handle(std::move(request));
}

void Shard::on_not_leading(const Error& why) {
  if (state_ == State::stopping) {
    refuse_open_work(why);
    return stop_if_idle();
  }
  following_ = why.reason == "NOT_LEADING" && !consensus_->sole_voter();
  if (following_) {
    log().info("shard.following", spec_.name() + " does not lead any more",
               {{"shard", spec_.name()}});
  } else {
    log().warn("shard.refusing", spec_.name() + " refuses commands: " + why.describe(),
               {{"shard", spec_.name()}, {"reason", why.reason}});
  }
  serve_at_ = 0;
  refusal_ = why;
  enter(State::refusing);
  refuse_open_work(why);
  TROUPE_SOMETIMES_IF(handing_over_ && !hand_over_begun_,
                      "a shard lost its leadership while it waited to hand it over");
  hand_over_when_idle();
  run_queued();
}

void Shard::on_following(const Error& why) {
  if (state_ == State::stopping) return;
  TROUPE_SOMETIMES("a shard began as a follower");
  following_ = true;
  refusal_ = why;
  enter(State::refusing);
  run_queued();
  tend_split();
}

void Shard::on_failed(const Error& why) {
  fail_(why);
}

// Batches that are not committed failed or have an unknown outcome. What saw them is dropped; their
// callers retry under the same message id. If the shard leads on, it serves again when the file
// holds all that may commit: what was dropped is the only thing in memory that knew of it.
void Shard::refuse_open_work(const Error& why) {
  ++epoch_;
  const runtime::LogIndex newest = in_flight_.empty() ? committed_ : in_flight_.back().index;
  const Error outcome{
      why.code == Code::resource_exhausted ? why.code : Code::unavailable,
      why.code == Code::resource_exhausted ? why.reason : "OUTCOME_UNKNOWN",
      why.message +
          "; whether the command took effect is unknown: send it again with the same message id",
      why.retry_after};
  std::vector<PendingAnswer> unanswered;
  for (InFlightBatch& batch : in_flight_)
    for (PendingAnswer& answer : batch.answers) unanswered.push_back(std::move(answer));
  if (open_)
    for (PendingAnswer& answer : open_->answers()) unanswered.push_back(std::move(answer));
  if (!in_flight_.empty()) replies_.drop_from(in_flight_.front().index);
  replies_.drop_open();
  drop_split();
  in_flight_.clear();
  // Planted: entities that saw a batch which failed stay, unless one was open beside it.
  if (open_ || !TROUPE_PLANTED(early_apply_kept)) drop_residents();
  open_.reset();
  TROUPE_SOMETIMES_IF(!unanswered.empty(), "the outcome of commands became unknown");
  for (PendingAnswer& answer : unanswered) answer.request->answer(outcome);
  TROUPE_SOMETIMES_IF(!stalled_.empty(), "commands waited for a batch that failed");
  requeue({std::make_move_iterator(stalled_.begin()), std::make_move_iterator(stalled_.end())});
  stalled_.clear();
  if (state_ == State::serving) serve_when_applied(newest);
}

// Everything in memory is forgotten; requests that waited for it are taken up again.
void Shard::drop_residents() {
  ++epoch_;
  to_load_.clear();
  loading_ = false;
  while (Resident* resident = residents_.oldest()) {
    TROUPE_SOMETIMES_IF(!resident->waiting.empty(),
                        "an entity was dropped while commands waited for it");
    std::vector<RequestPtr> waiting = std::exchange(resident->waiting, {});
    residents_.remove(*resident);
    requeue(std::move(waiting));
  }
}

// Already counted as waiting; runs later, from the mailbox, so that callers here stay flat.
void Shard::requeue(std::vector<RequestPtr> requests) {
  if (requests.empty()) return;
  waiting_ -= requests.size();
  executor_->post([this, requests = std::move(requests)]() mutable {
    for (RequestPtr& request : requests) handle(std::move(request));
  });
}

// Asked when a call comes and again right before it runs: in between it may have waited.
bool Shard::refused_as_late(Request& request) {
  if (request.deadline >= now()) return false;
  TROUPE_SOMETIMES("the time of a call was over before it ran");
  surroundings_.vitals->errors.fetch_add(1, std::memory_order_relaxed);
  surroundings_.vitals->late.fetch_add(1, std::memory_order_relaxed);
  request.answer(deadline_exceeded(
      "DEADLINE_EXCEEDED",
      "the call's time was over before it ran; it had no effect by this attempt"));
  return true;
}

void Shard::handle(RequestPtr request) {
  if (refused_as_late(*request)) return;
  // Where nobody else votes an ordinary read is as quick, and it is fresh.
  const bool freshly = state_ == State::serving && consensus_->sole_voter();
  if (request->stale && !freshly && state_ != State::opening && state_ != State::stopping)
    return read_stale(std::move(request));
  switch (state_) {
    case State::serving:
      if (waits_for_hand_over(request) || refused_as_moved(request)) return;
      return dispatch(std::move(request));
    case State::refusing:
      // Another replica may lead unless there is none; then what is committed here is the truth.
      if (spec_.service->type->methods[request->method].read_only && consensus_->sole_voter())
        return dispatch(std::move(request));
      TROUPE_SOMETIMES("a shard that refuses was sent a command");
      if (following_) publish();  // who leads now
      return request->answer(*refusal_);
    case State::opening:
    case State::recovering:
      if (waiting_ >= spec_.options.waiting_max)
        return request->answer(
            unavailable("SHARD_STARTING", spec_.name() + " is starting; retry soon"));
      ++waiting_;
      queued_.push_back(std::move(request));
      return;
    case State::stopping:
      return request->answer(unavailable(
          "SHARD_STOPPING", spec_.name() + " is stopping; retry under the same message id"));
  }
}

void Shard::recover(const RecoveryOrder& order, std::function<void(const Result<void>&)> done) {
  if (!consensus_)
    return done(unavailable("SHARD_STARTING", spec_.name() + " is starting; retry soon"));
  consensus_->recover(order, [this, done = std::move(done)](const Result<void>& stored) {
    if (!stored) return done(stored);
    recovered_ = done;
  });
}

void Shard::stop(std::function<void()> stopped) {
  stopped_ = std::move(stopped);
  const bool serving = state_ == State::serving;
  enter(State::stopping);
  const Error why =
      unavailable("SHARD_STOPPING", spec_.name() + " is stopping; retry under the same message id");
  for (RequestPtr& request : std::exchange(queued_, {})) request->answer(why);
  for (RequestPtr& request : std::exchange(stalled_, {})) request->answer(why);
  for (RequestPtr& request : std::exchange(unconfirmed_reads_, {})) request->answer(why);
  waiting_ -= moved_.size();
  for (RequestPtr& request : std::exchange(moved_, {})) request->answer(why);
  refuse_stale_reads(why);
  if (serving) flush(true);
  TROUPE_SOMETIMES_IF(!in_flight_.empty(), "a shard was stopped while batches were in flight");
  stop_if_idle();
}

void Shard::stop_if_idle() {
  if (state_ != State::stopping || !in_flight_.empty() || open_ || !stopped_) return;
  publish();
  std::exchange(stopped_, nullptr)();
}

void Shard::enter(State state) {
  state_ = state;
  publish();
  if (surroundings_.state_changed) surroundings_.state_changed();
}

void Shard::publish() {
  static constexpr const char* names[] = {"opening", "recovering", "serving", "refusing",
                                          "stopping"};
  auto snapshot = surroundings_.vitals->get();  // the file's part stays
  const bool following = state_ == State::refusing && following_;
  snapshot.state = following ? "following" : names[static_cast<int>(state_)];
  snapshot.problem = refusal_ && !following ? refusal_->describe() : std::string{};
  if (consensus_) snapshot.consensus = consensus_->status();
  snapshot.applied = applied_.index;
  snapshot.split_token = range_ ? range_->token() : 0;
  snapshot.entities_resident = residents_.size();
  snapshot.quarantined = quarantine_.empty() ? 0 : quarantine_.sweep(now());
  surroundings_.vitals->set(std::move(snapshot));
}

}  // namespace troupe::actors
