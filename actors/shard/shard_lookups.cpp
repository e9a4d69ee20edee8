// What a command has to know from the file before it runs: whether it ran, and its entity's
// history.
#include <algorithm>
#include <utility>

#include "actors/shard/handler_run.hpp"

namespace troupe::actors {

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
          Reply reply{(*stored)->reply(), 0, true};
          place(reply, applied_.index);
          request->answer(std::move(reply));
        }
        if (Resident* still = residents_.find(entity); still && !still->busy) run_waiting(*still);
      });
}

// Fetches the newest page, which the handler asked for. It must hold every event that the entity's
// state has seen, so the file is first brought up to date; meanwhile the entity takes nothing else.
void Shard::fetch_history(Resident& resident, RequestPtr request, std::shared_ptr<Pages> pages) {
  resident.busy = true;
  if (resident.in_open_batch) flush(true);
  if (apply_retrying_ && resident.last_batch > applied_.index) {
    resident.busy = false;
    return request->answer(resource_exhausted(
        "DISK_FULL",
        "the history cannot be read before the full disk of " + spec_.name() + " has space"));
  }
  when_applied(resident.last_batch, [this, entity = resident.key, epoch = epoch_, request,
                                     pages](const Result<void>& applied) {
    Resident* waiting = still_busy(entity, epoch);
    if (!waiting) return handle(request);
    if (!applied) {
      waiting->busy = false;
      request->answer(applied.error());
      return run_waiting(*waiting);
    }
    const Page& wanted = pages->back();
    files_.run<std::vector<runtime::ShardFile::Event>>(
        [bucket = waiting->bucket, entity, order = wanted.order, from = wanted.from,
         limit = wanted.limit](runtime::ShardFile& file) {
          // An entity names the first event that it wants, the file the one before it; 0 is the
          // end.
          return order == HistoryOrder::oldest_first
                     ? file.events_after(bucket, entity, from == 0 ? 0 : from - 1, limit)
                     : file.events_before(bucket, entity, from == 0 ? 0 : from + 1, limit);
        },
        [this, entity, epoch, request,
         pages](Result<std::vector<runtime::ShardFile::Event>> events) {
          Resident* found = still_busy(entity, epoch);
          if (!found) return handle(request);
          found->busy = false;
          if (!events) {
            request->answer(events.error());
          } else {
            std::vector<RawEvent>& page = pages->back().events;
            page.reserve(events->size());
            for (auto& one : *events)
              page.push_back({one.sequence,
                              WallTime{std::chrono::milliseconds{one.event.time_ms()}},
                              std::move(*one.event.mutable_event())});
            run(*found, request, pages, true);
          }
          if (Resident* still = residents_.find(entity); still && !still->busy) run_waiting(*still);
        });
  });
}

}  // namespace troupe::actors
