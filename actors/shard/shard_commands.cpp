// Calls: admission, reply once, handlers, effects into the open batch, proposals.
#include <google/protobuf/message.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "actors/shard/shard.hpp"

namespace troupe::actors {

using wire::Row;

// A page of an entity's history that was fetched for the handler that asked for it.
struct Shard::Page {
  HistoryOrder order = HistoryOrder::oldest_first;
  std::uint64_t from = 0;
  std::size_t limit = 0;
  std::vector<RawEvent> events;
};

namespace {

// Unwinds a handler that asked for a page of its history: the page is fetched and the handler runs
// again, with it. Handlers are const and their effects are dropped, so that running twice is the
// same as running once.
struct PageNeeded {
  HistoryOrder order;
  std::uint64_t from;
  std::size_t limit;
};

class Context final : public HandlerContext {
 public:
  explicit Context(std::int64_t time_ms) : time_ms_(time_ms) {}
  WallTime now() const override { return WallTime{std::chrono::milliseconds{time_ms_}}; }
  std::vector<RawEvent> history(HistoryOrder order, std::uint64_t from,
                                std::size_t limit) override {
    limit = std::min(limit, limit_max);
    if (!fetched(order, from, limit)) throw PageNeeded{order, from, limit};
    return *events;
  }
  bool fetched(HistoryOrder order, std::uint64_t from, std::size_t limit) const {
    return events && order == page_order && from == page_from && limit == page_limit;
  }

  std::size_t limit_max = 0;
  const std::vector<RawEvent>* events = nullptr;
  HistoryOrder page_order = HistoryOrder::oldest_first;
  std::uint64_t page_from = 0;
  std::size_t page_limit = 0;

 private:
  std::int64_t time_ms_;
};

// Sets the context for the time of a handler's call.
class Entered {
 public:
  Entered(Entity& entity, HandlerContext& context) : entity_(entity) { entity_.enter(&context); }
  ~Entered() { entity_.enter(nullptr); }
  Entered(const Entered&) = delete;
  Entered& operator=(const Entered&) = delete;

 private:
  Entity& entity_;
};

std::string sequence_row(std::uint64_t sequence) {
  std::string bytes(8, '\0');
  for (int byte = 7; byte >= 0; --byte, sequence >>= 8)
    bytes[static_cast<std::size_t>(byte)] = static_cast<char>(sequence & 0xff);
  return bytes;
}

std::int64_t milliseconds(Duration duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

}  // namespace

void Shard::dispatch(RequestPtr request) {
  if (state_ != State::serving && state_ != State::refusing) return handle(std::move(request));
  const bool read = spec_.service->type->methods[request->method].read_only;
  if (read && !consensus_->sole_voter()) {
    unconfirmed_reads_.push_back(std::move(request));
    return confirm_reads();
  }
  Resident* resident = residents_.find(request->key);
  if (resident && !resident->busy) return run(*resident, std::move(request), nullptr, false);
  if (waiting_ >= spec_.options.waiting_max)
    return request->answer(resource_exhausted(
        "SHARD_OVERLOADED", spec_.name() + " has " + std::to_string(waiting_) +
                                " requests waiting; retry later under the same message id"));
  ++waiting_;
  if (resident) {
    resident->waiting.push_back(std::move(request));
    return;
  }
  Resident& fresh = residents_.add(request->key, request->bucket, now());
  fresh.waiting.push_back(std::move(request));
  load(fresh);
}

// One round of the group confirms all reads that wait.
void Shard::confirm_reads() {
  if (confirming_ || unconfirmed_reads_.empty()) return;
  confirming_ = true;
  auto reads = std::make_shared<std::vector<RequestPtr>>(std::exchange(unconfirmed_reads_, {}));
  consensus_->confirm_leadership([this, reads](const Result<void>& confirmed) {
    confirming_ = false;
    for (RequestPtr& request : *reads) {
      if (!confirmed) {
        request->answer(confirmed.error());
        continue;
      }
      Resident* resident = residents_.find(request->key);
      if (!resident) {
        resident = &residents_.add(request->key, request->bucket, now());
        load(*resident);
      }
      if (!resident->busy) {
        run(*resident, std::move(request), nullptr, false);
        continue;
      }
      ++waiting_;
      resident->waiting.push_back(std::move(request));
    }
    confirm_reads();
  });
}

void Shard::run(Resident& resident, RequestPtr request, const Page* page, bool known_new) {
  const MethodType& method = spec_.service->type->methods[request->method];
  residents_.touch(resident, now());
  if (const auto refused = quarantine_.refused(resident.key, resident.last_used)) {
    Error why = unavailable("ENTITY_QUARANTINED", "the handlers of '" + resident.key +
                                                      "' kept failing; it is refused for a while");
    why.retry_after = refused;
    return request->answer(std::move(why));
  }

  ReplyKey key;
  RequestDigest digest;
  if (method.read_only) {
    surroundings_.vitals->reads.fetch_add(1, std::memory_order_relaxed);
  } else {
    if (state_ == State::refusing) return request->answer(*refusal_);
    if (batch_is_full()) {
      if (apply_retrying_)
        return request->answer(resource_exhausted(
            "DISK_FULL",
            "the disk that holds " + spec_.name() +
                " is full; free space, then send the command again with the same message id"));
      if (waiting_ >= spec_.options.waiting_max)
        return request->answer(resource_exhausted("SHARD_OVERLOADED",
                                                  spec_.name() + " has too many commands waiting"));
      ++waiting_;
      stalled_.push_back(std::move(request));
      return;
    }
    if (const std::int64_t window = milliseconds(
            request->id.client ? spec_.options.idempotency_window : spec_.options.reply_window);
        request->id.timed && request->id.time_ms() < shard_time() - window)
      return request->answer(failed_precondition(
          "MESSAGE_ID_EXPIRED",
          "the id of this command is older than the window in which a repetition is "
          "recognised, so it may have run; read the state, then decide on a new id"));
    key = ReplyKey::of(resident.key, request->caller, method.name, request->id);
    digest = RequestDigest::of(request->payload);
    if (answer_if_ran(resident, request, key, digest)) return;
    if (!known_new && may_be_stored(resident, request, key))
      return look_up_reply(resident, std::move(request), key, digest);
    surroundings_.vitals->commands.fetch_add(1, std::memory_order_relaxed);
  }

  Context context{method.read_only ? shard_time() : open_batch().time_ms()};
  context.limit_max = spec_.options.history_page_max;
  if (page) {
    context.events = &page->events;
    context.page_order = page->order;
    context.page_from = page->from;
    context.page_limit = page->limit;
  }
  Entity::Outcome outcome{internal("no outcome"), {}, false};
  try {
    const Entered entered{*resident.entity, context};
    outcome = resident.entity->execute(request->method, request->payload);
  } catch (const PageNeeded& needed) {
    resident.entity->restore_state();
    return fetch_history(resident, std::move(request), needed.order, needed.from, needed.limit);
  } catch (const std::exception& exception) {
    return handler_threw(resident, request, exception.what());
  } catch (...) {
    return handler_threw(resident, request, "something that is no std::exception");
  }
  if (!outcome.reply) {
    resident.entity->restore_state();
    surroundings_.vitals->errors.fetch_add(1, std::memory_order_relaxed);
    return answer_when_seen(resident, std::move(request), std::move(outcome.reply).error());
  }
  if (method.read_only)
    return answer_when_seen(resident, std::move(request),
                            Reply{std::move(*outcome.reply), 0, false});
  add_to_batch(resident, std::move(request), std::move(outcome), key, digest);
}

// True if the command ran before and its reply is still in memory: it gets that reply, once the
// batch has committed. Another request under the same id is refused.
bool Shard::answer_if_ran(Resident& resident, const RequestPtr& request, const ReplyKey& key,
                          const RequestDigest& digest) {
  const ReplyMemory::Kept* kept = replies_.find(key);
  if (!kept) return false;
  if (kept->digest != digest) {
    request->answer(
        invalid_argument("IDEMPOTENCY_KEY_REUSED",
                         "another request was sent under this id before; use a new id for a "
                         "new command, and the same request for a retry"));
    return true;
  }
  surroundings_.vitals->repeated.fetch_add(1, std::memory_order_relaxed);
  answer_when_seen(resident, request, Reply{kept->reply, 0, true});
  return true;
}

// Whether the file has to be asked for a stored reply before the command may run.
bool Shard::may_be_stored(const Resident& resident, const RequestPtr& request,
                          const ReplyKey& key) const {
  if (resident.replies_complete)
    return std::find(resident.replies.begin(), resident.replies.end(), key.low) !=
           resident.replies.end();
  return !replies_.surely_new(key, request->id);
}

void Shard::look_up_reply(Resident& resident, RequestPtr request, const ReplyKey& key,
                          const RequestDigest& digest) {
  resident.busy = true;
  files_.run<std::optional<wire::StoredReply>>(
      [bucket = resident.bucket, entity = resident.key, row = key.row()](runtime::ShardFile& file) {
        return file.reply(bucket, entity, row);
      },
      [this, entity = resident.key, epoch = epoch_, request,
       digest](Result<std::optional<wire::StoredReply>> stored) {
        Resident* found = still_busy(entity, epoch);
        if (!found) return handle(request);
        found->busy = false;
        if (!stored) {
          request->answer(stored.error());
        } else if (!*stored) {
          run(*found, request, nullptr, true);
        } else if (RequestDigest{(*stored)->digest_high(), (*stored)->digest_low()} != digest) {
          request->answer(invalid_argument("IDEMPOTENCY_KEY_REUSED",
                                           "another request was sent under this id before; use a "
                                           "new id for a new command, and the "
                                           "same request for a retry"));
        } else {
          surroundings_.vitals->repeated.fetch_add(1, std::memory_order_relaxed);
          request->answer(Reply{(*stored)->reply(), applied_.index, true});
        }
        if (Resident* still = residents_.find(entity); still && !still->busy) run_waiting(*still);
      });
}

// The page must hold every event that the entity's state has seen, so the file is first brought up
// to date; meanwhile the entity takes nothing else.
void Shard::fetch_history(Resident& resident, RequestPtr request, HistoryOrder order,
                          std::uint64_t from, std::size_t limit) {
  resident.busy = true;
  if (resident.in_open_batch) flush(true);
  if (state_ == State::refusing && resident.last_batch > applied_.index && apply_retrying_) {
    resident.busy = false;
    return request->answer(*refusal_);
  }
  when_applied(resident.last_batch, [this, entity = resident.key, epoch = epoch_, request, order,
                                     from, limit](const Result<void>& applied) {
    Resident* waiting = still_busy(entity, epoch);
    if (!waiting) return handle(request);
    if (!applied) {
      waiting->busy = false;
      request->answer(applied.error());
      return run_waiting(*waiting);
    }
    files_.run<std::vector<runtime::ShardFile::Event>>(
        [bucket = waiting->bucket, entity, order, from, limit](runtime::ShardFile& file) {
          return order == HistoryOrder::oldest_first
                     ? file.events_after(bucket, entity, from, limit)
                     : file.events_before(bucket, entity, from, limit);
        },
        [this, entity, epoch, request, order, from,
         limit](Result<std::vector<runtime::ShardFile::Event>> events) {
          Resident* found = still_busy(entity, epoch);
          if (!found) return handle(request);
          found->busy = false;
          if (!events) {
            request->answer(events.error());
          } else {
            Page page{order, from, limit, {}};
            page.events.reserve(events->size());
            for (auto& one : *events)
              page.events.push_back({one.sequence,
                                     WallTime{std::chrono::milliseconds{one.event.time_ms()}},
                                     std::move(*one.event.mutable_event())});
            run(*found, request, &page, true);
          }
          if (Resident* still = residents_.find(entity); still && !still->busy) run_waiting(*still);
        });
  });
}

void Shard::add_to_batch(Resident& resident, RequestPtr request, Entity::Outcome outcome,
                         const ReplyKey& key, const RequestDigest& digest) {
  OpenBatch& batch = open_batch();
  const std::int64_t time_ms = batch.time_ms();
  resident.entity->drop_kept_state();

  if (outcome.erased) {
    batch.add_row(resident, Row::STATE, 0).set_change(Row::DELETE_ENTITY);
    resident.exists = false;
    resident.version = resident.last_event = 0;
    renew_entity(resident, {});
    resident.changed_in_batch = true;
    batch.touch(resident, 0);
  } else if (!outcome.events.empty()) {
    for (std::string& event : outcome.events) {
      wire::StoredEvent stored;
      stored.set_time_ms(time_ms);
      const std::size_t bytes = event.size();
      stored.set_event(std::move(event));
      Row& row = batch.add_row(resident, Row::EVENT, bytes);
      row.set_sub(sequence_row(++resident.last_event));
      stored.SerializeToString(row.mutable_value());
    }
    resident.exists = true;
    ++resident.version;
    resident.changed_in_batch = true;
    batch.touch(resident, resident.entity->state_message().ByteSizeLong());
  } else {
    batch.touch(resident, 0);  // the reply depends on the state that it saw
  }

  wire::StoredReply stored;
  stored.set_digest_high(digest.high);
  stored.set_digest_low(digest.low);
  stored.set_reply(*outcome.reply);
  stored.set_time_ms(time_ms);
  Row& row = batch.add_row(resident, Row::REPLY, outcome.reply->size() + 48);
  row.set_sub(key.row());
  stored.SerializeToString(row.mutable_value());
  row.set_due_ms(time_ms + milliseconds(request->id.client ? spec_.options.idempotency_window
                                                           : spec_.options.reply_window));

  if (resident.replies_complete) {
    resident.replies.push_back(key.low);
    constexpr std::size_t replies_kept_max = 32;
    if (resident.replies.size() > replies_kept_max) {
      resident.replies_complete = false;
      std::vector<std::uint64_t>{}.swap(resident.replies);
    }
  }
  replies_.add(key, digest, *outcome.reply, time_ms);
  batch.count_command();
  batch.answer_at_commit(std::move(request), Reply{std::move(*outcome.reply), 0, false});

  if (batch_is_full()) return flush(false);
  if (!flush_posted_) {
    flush_posted_ = true;
    executor_->post([this] {
      flush_posted_ = false;
      flush(false);
    });
  }
}

// Harms its own command only: the entity is made anew from the state before the command.
void Shard::handler_threw(Resident& resident, const RequestPtr& request, const std::string& what) {
  surroundings_.vitals->exceptions.fetch_add(1, std::memory_order_relaxed);
  const std::string& method = spec_.service->type->methods[request->method].name;
  resident.entity->restore_state();
  renew_entity(resident, resident.entity->state_message().SerializeAsString());
  const auto refused = quarantine_.failed(resident.key, now());
  log().error(
      "entity.restarted",
      "a handler of " + spec_.service->type->name + " threw: " + what +
          (refused ? "; the entity is quarantined" : ""),
      {{"shard", spec_.name()},
       {"entity", resident.key},
       {"method", method},
       {"exception", what},
       {"quarantine_seconds", refused ? std::chrono::duration<double>(*refused).count() : 0.0}});
  request->answer(
      internal("HANDLER_FAILED",
               "the handler of " + method + " failed unexpectedly; the command had no effect"));
}

// A reply may not leave before the newest batch that the entity has seen is committed.
void Shard::answer_when_seen(const Resident& resident, RequestPtr request, Result<Reply> reply) {
  if (resident.in_open_batch) return open_->answer_at_commit(std::move(request), std::move(reply));
  for (InFlightBatch& batch : in_flight_) {
    if (batch.index != resident.last_batch) continue;
    batch.answers.push_back({std::move(request), std::move(reply)});
    return;
  }
  if (reply) reply->shard_index = std::min(resident.last_batch, committed_);
  request->answer(std::move(reply));
}

// Never behind the newest batch, whatever the leader's wall clock says.
std::int64_t Shard::shard_time() const {
  return std::max<std::int64_t>(time_ms_,
                                surroundings_.platform->clock().wall().time_since_epoch().count());
}

OpenBatch& Shard::open_batch() {
  if (!open_) {
    time_ms_ = shard_time();
    open_ = std::make_unique<OpenBatch>(time_ms_);
  }
  return *open_;
}

bool Shard::batch_is_full() const {
  return unapplied_bytes_ >= spec_.options.unapplied_bytes_max ||
         (open_ && (open_->bytes() >= spec_.options.batch_bytes_max ||
                    open_->commands() >= spec_.options.batch_commands_max));
}

// Proposes the open batch. While enough batches are in flight it goes on gathering, unless forced.
void Shard::flush(bool forced) {
  if (!open_ || (!forced && in_flight_.size() >= spec_.options.batches_in_flight_max)) return;
  if (!open_->has_rows()) {
    open_.reset();
    return;
  }
  for (Resident* resident : open_->touched()) {
    resident->in_open_batch = false;
    if (!std::exchange(resident->changed_in_batch, false) || !resident->exists) continue;
    wire::EntityState state;
    state.set_version(resident->version);
    state.set_last_event(resident->last_event);
    state.set_changed_ms(open_->time_ms());
    resident->entity->state_message().SerializeToString(state.mutable_state());
    residents_.set_bytes(*resident, resident->bytes);
    Row& row = open_->add_row(*resident, Row::STATE, 0);
    state.SerializeToString(row.mutable_value());
  }
  auto proposed = consensus_->propose(std::make_shared<const std::string>(open_->serialise()));
  if (!proposed) {
    const Error why = proposed.error();
    return refuse_open_work(why);
  }
  for (Resident* resident : open_->touched()) resident->last_batch = *proposed;
  replies_.proposed(*proposed);
  in_flight_.push_back({*proposed, open_->rows(), std::move(open_->answers())});
  open_.reset();
}

void Shard::resume_stalled() {
  while (!stalled_.empty() && !batch_is_full()) {
    RequestPtr request = std::move(stalled_.front());
    stalled_.pop_front();
    --waiting_;
    handle(std::move(request));
  }
}

}  // namespace troupe::actors
