// Calls: admission, reply once, handlers.
#include <google/protobuf/message.h>

#include <exception>
#include <utility>

#include "actors/encoding.hpp"
#include "actors/shard/handler_run.hpp"
#include "runtime/rehearsal/marks.hpp"
#include "runtime/rehearsal/planted.hpp"
#include "runtime/storage/probe.hpp"

namespace troupe::actors {

void Shard::dispatch(RequestPtr request) {
  if (state_ != State::serving && state_ != State::refusing) return handle(std::move(request));
  const bool read = spec_.service->type->methods[request->method].read_only;
  if (read && !consensus_->sole_voter()) {
    if (unconfirmed_reads_.size() >= spec_.options.waiting_max)
      return request->answer(resource_exhausted(
          "SHARD_OVERLOADED", spec_.name() + " has " + std::to_string(unconfirmed_reads_.size()) +
                                  " reads waiting for a majority; retry later"));
    unconfirmed_reads_.push_back(std::move(request));
    return confirm_reads();
  }
  Resident* resident = residents_.find(request->key);
  if (resident && !resident->busy) return run(*resident, std::move(request), nullptr, false);
  if (waiting_ >= spec_.options.waiting_max) {
    TROUPE_SOMETIMES("a shard had too much waiting");
    return request->answer(resource_exhausted(
        "SHARD_OVERLOADED", spec_.name() + " has " + std::to_string(waiting_) +
                                " requests waiting; retry later under the same message id"));
  }
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
  TROUPE_SOMETIMES_IF(reads->size() > 1, "reads shared a round");
  consensus_->confirm_leadership([this, reads](const Result<void>& confirmed) {
    confirming_ = false;
    for (RequestPtr& request : *reads) {
      if (!confirmed) {
        request->answer(confirmed.error());
        continue;
      }
      if (state_ != State::serving) {
        TROUPE_SOMETIMES("a shard stopped serving while reads were confirmed");
        handle(std::move(request));
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

bool Shard::refused_as_quarantined(Request& request) {
  const auto refused = quarantine_.refused(request.key, now());
  if (!refused) return false;
  TROUPE_SOMETIMES("a quarantined entity was called");
  Error why = unavailable("ENTITY_QUARANTINED", "the handlers of '" + request.key +
                                                    "' kept failing; it is refused for a while");
  why.retry_after = refused;
  request.answer(std::move(why));
  return true;
}

void Shard::run(Resident& resident, RequestPtr request, std::shared_ptr<Pages> pages,
                bool known_new) {
  const MethodType& method = spec_.service->type->methods[request->method];
  const MonotonicTime began = now();
  residents_.touch(resident, began);
  if (refused_as_late(*request)) return;
  if (refused_as_moved(request)) return;
  if (refused_as_quarantined(*request)) return;

  ReplyKey key;
  RequestDigest digest;
  if (method.read_only) {
    surroundings_.vitals->reads.fetch_add(1, std::memory_order_relaxed);
  } else {
    if (state_ == State::refusing) return request->answer(*refusal_);
    if (hand_over_begun_ && waits_for_hand_over(request)) return;  // its batch would be refused
    if (batch_is_full()) {
      if (apply_retrying_) {
        return request->answer(disk_full(
            "the disk that holds " + spec_.name() +
            " is full; free space, then send the command again with the same message id"));
      }
      if (waiting_ >= spec_.options.waiting_max)
        return request->answer(resource_exhausted("SHARD_OVERLOADED",
                                                  spec_.name() + " has too many commands waiting"));
      TROUPE_SOMETIMES("a command waited for a full batch");
      ++waiting_;
      stalled_.push_back(std::move(request));
      return;
    }
    if (const auto refused = refused_for_time(request->id)) return request->answer(*refused);
    key = ReplyKey::of(resident.key, request->caller, method.name, request->id);
    digest = RequestDigest::of(request->payload);
    if (answer_if_ran(resident, request, key, digest)) return;
    if (!known_new && may_be_stored(resident, request, key))
      return look_up_reply(resident, std::move(request), key, digest);
    if (request->if_version && *request->if_version != resident.version) {
      TROUPE_SOMETIMES("a command found another version of its entity than it wants");
      Error other = version_mismatch(resident);
      return answer_when_seen(resident, std::move(request), std::move(other));
    }
    surroundings_.vitals->commands.fetch_add(1, std::memory_order_relaxed);
  }

  Context context{
      time_of_run(method.read_only), request->on_behalf_of, spec_.options.history_page_max,
      [&pages](const PageWanted& wanted) { return pages ? find_page(*pages, wanted) : nullptr; }};
  Entity::Outcome outcome{internal("no outcome"), {}, false};
  try {
    const Entered entered{*resident.entity, context, *surroundings_.vitals, request->method, began};
    outcome = resident.entity->execute(request->method, request->payload);
  } catch (const PageNeeded& needed) {
    resident.entity->restore_state();
    if (!pages) pages = std::make_shared<Pages>();
    if (pages->size() >= pages_max) return request->answer(history_too_long(method));
    pages->push_back({needed.wanted, {}});
    pages->back().keep = resident.entity->history_max();
    return fetch_history(resident, std::move(request), std::move(pages));
  } catch (const std::exception& exception) {
    return handler_threw(resident, request, exception.what());
  } catch (...) {
    return handler_threw(resident, request, "something that is no std::exception");
  }
  if (!outcome.reply) {
    [[maybe_unused]] const bool undone = resident.entity->restore_state();
    TROUPE_SOMETIMES_IF(undone, "a handler refused after it had changed the state");
    surroundings_.vitals->errors.fetch_add(1, std::memory_order_relaxed);
    return answer_when_seen(resident, std::move(request), std::move(outcome.reply).error());
  }
  if (method.read_only)
    return answer_when_seen(
        resident, std::move(request),
        Reply{.payload = std::move(*outcome.reply), .version = resident.version});
  add_to_batch(resident, std::move(request), std::move(outcome), key, digest);
}

Error Shard::version_mismatch(const Resident& resident) const {
  surroundings_.vitals->errors.fetch_add(1, std::memory_order_relaxed);
  return failed_precondition("VERSION_MISMATCH",
                             resident.version == 0 ? "there is no such entity any more, or not yet"
                                                   : "the entity has changed: it has version " +
                                                         std::to_string(resident.version) +
                                                         " now; read it, and decide anew");
}

// Harms its own command only: the entity is made anew from the state before the command.
void Shard::handler_threw(Resident& resident, const RequestPtr& request, const std::string& what) {
  TROUPE_SOMETIMES("an entity was made anew after its handler threw");
  // Planted: what a handler changed before it threw stays.
  if (!TROUPE_PLANTED(throw_keeps_half_state)) resident.entity->restore_state();
  renew_entity(resident, encode_deterministic(resident.entity->state_message()));
  answer_thrown(request, what);
}

void Shard::answer_thrown(const RequestPtr& request, const std::string& what) {
  surroundings_.vitals->exceptions.fetch_add(1, std::memory_order_relaxed);
  const std::string& method = spec_.service->type->methods[request->method].name;
  const auto refused = quarantine_.failed(request->key, now());
  TROUPE_SOMETIMES_IF(refused.has_value(), "an entity was quarantined");
  log().error(
      "entity.restarted",
      "a handler of " + spec_.service->type->name + " threw: " + what +
          (refused ? "; the entity is quarantined" : ""),
      {{"shard", spec_.name()},
       {"entity", request->key},
       {"method", method},
       {"exception", what},
       {"quarantine_seconds", refused ? std::chrono::duration<double>(*refused).count() : 0.0}});
  request->answer(
      internal("HANDLER_FAILED",
               "the handler of " + method + " failed unexpectedly; the command had no effect"));
}

// A reply may not leave before the newest batch that the entity has seen is committed.
void Shard::answer_when_seen(const Resident& resident, RequestPtr request, Result<Reply> reply) {
  // Planted: an answer that adds nothing to the open batch does not wait for it.
  if (resident.in_open_batch && !TROUPE_PLANTED(read_does_not_wait)) {
    TROUPE_SOMETIMES("an answer waited for the open batch");
    return open_->answer_at_commit(std::move(request), std::move(reply));
  }
  for (InFlightBatch& batch : in_flight_) {
    if (batch.index != resident.last_batch) continue;
    TROUPE_SOMETIMES("an answer waited for a batch in flight");
    batch.answers.push_back({std::move(request), std::move(reply)});
    return;
  }
  answer(*request, std::move(reply), committed_);  // all that the entity did is committed
}

void Shard::answer(InFlightBatch& batch) {
  for (PendingAnswer& pending : std::exchange(batch.answers, {}))
    answer(*pending.request, std::move(pending.reply), batch.index);
}

// The way out of every reply, and of what refuses on the strength of an entity's state.
void Shard::answer(Request& request, Result<Reply> reply, runtime::LogIndex index) {
  if (probe_) probe_->replied(spec_.group, index);
  if (reply) place(*reply, index);
  request.answer(std::move(reply));
}

void Shard::place(Reply& reply, runtime::LogIndex index) const {
  reply.shard = spec_.shard;
  reply.shard_index = index;
}

}  // namespace troupe::actors
