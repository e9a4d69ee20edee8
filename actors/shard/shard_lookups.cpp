// What a command has to know from the file before it runs: whether it ran, and its entity's
// history.
#include <algorithm>
#include <utility>

#include "actors/shard/file_reads.hpp"
#include "actors/shard/handler_run.hpp"
#include "runtime/rehearsal/marks.hpp"

namespace troupe::actors {
// What an id's time alone says against running its command.
std::optional<Error> Shard::refused_for_time(const MessageId& id) {
  if (!id.timed) return std::nullopt;
  const std::int64_t time_ms = read_time();  // the command's own batch has this or a later one
  if (id.time_ms() <= time_ms - to_milliseconds(reply_window_of(id))) {
    TROUPE_SOMETIMES("a message id was older than its window");
    return failed_precondition(
        "MESSAGE_ID_EXPIRED",
        "the id of this command is older than the window in which a repetition is recognised, so "
        "it may have run; read the state, then decide on a new id");
  }
  const std::int64_t ahead_ms = id.time_ms() - time_ms;
  if (ahead_ms <= ReplyMemory::clock_tolerance_ms) return std::nullopt;
  // Were it run, its repetition after a restart would seem to be younger than all that ran.
  TROUPE_SOMETIMES("a message id was ahead of shard time");
  Error why = unavailable("MESSAGE_ID_AHEAD",
                          "the id of this command says a time that is " + std::to_string(ahead_ms) +
                              " ms ahead of " + spec_.name() +
                              "; the command was not run: set the clocks right, or " +
                              "send a key that says no time");
  why.retry_after = std::chrono::milliseconds{ahead_ms - ReplyMemory::clock_tolerance_ms};
  return why;
}

Duration Shard::reply_window_of(const MessageId& id) const {
  return id.client ? spec_.options.idempotency_window : spec_.options.reply_window;
}

// True if the command ran before and its reply is still in memory: it gets that reply, once the
// batch has committed. Another request under the same id is refused.
bool Shard::answer_if_ran(Resident& resident, const RequestPtr& request, const ReplyKey& key,
                          const RequestDigest& digest) {
  const ReplyMemory::Kept* kept = replies_.find(key);
  if (!kept) return false;
  TROUPE_SOMETIMES("a repetition found its reply in memory");
  if (kept->digest != digest) {
    TROUPE_SOMETIMES("an id that waits for the file came with another request");
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
        TROUPE_SOMETIMES_IF(!found, "an entity was dropped during a look at the file");
        if (!found) return handle(request);
        if (!stored && stored.error().code == Code::data_loss) return fail_(stored.error());
        found->busy = false;
        RequestPtr asked = request;
        if (refused_as_moved(asked)) {
          TROUPE_SOMETIMES("a shard was split during a look at the file");
        } else if (!stored) {
          request->answer(stored.error());
        } else if (!*stored) {
          TROUPE_SOMETIMES("a command had no reply in the file");
          run(*found, request, nullptr, true);
        } else if (RequestDigest{(*stored)->digest_high(), (*stored)->digest_low()} != digest) {
          TROUPE_SOMETIMES("an id in the file came with another request");
          request->answer(invalid_argument("IDEMPOTENCY_KEY_REUSED",
                                           "another request was sent under this id before; use a "
                                           "new id for a new command, and the "
                                           "same request for a retry"));
        } else {
          surroundings_.vitals->repeated.fetch_add(1, std::memory_order_relaxed);
          TROUPE_SOMETIMES("a repetition found its reply in the file");
          answer(*request, Reply{(*stored)->reply(), 0, true}, applied_.index);
        }
        if (Resident* still = residents_.find(entity); still && !still->busy) run_waiting(*still);
      });
}

// Fetches the newest page, which the handler asked for. It must hold every event that the entity's
// state has seen, so the file is first brought up to date; meanwhile the entity takes nothing else.
void Shard::fetch_history(Resident& resident, RequestPtr request, std::shared_ptr<Pages> pages) {
  resident.busy = true;
  const std::uint64_t before = epoch_;
  if (resident.in_open_batch) flush(true);
  if (before != epoch_) return handle(std::move(request));  // the batch was refused: it is gone
  if (apply_retrying_ && resident.last_batch > applied_.index) {
    TROUPE_SOMETIMES("history was refused because the file lacks rows");
    resident.busy = false;
    return request->answer(disk_full("the history cannot be read before the full disk of " +
                                     spec_.name() + " has space"));
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
    files_.run<std::vector<RawEvent>>(
        [path = spec_.file(generation_), bucket = waiting->bucket, entity,
         wanted = PageWanted{pages->back()},
         last_event = waiting->last_event](runtime::ShardFile& file) {
          return read_page(file, path, bucket, entity, wanted, last_event);
        },
        [this, entity, epoch, request, pages](Result<std::vector<RawEvent>> events) {
          Resident* found = still_busy(entity, epoch);
          if (!found) return handle(request);
          if (!events && events.error().code == Code::data_loss) return fail_(events.error());
          found->busy = false;
          if (!events) {
            request->answer(events.error());
          } else {
            pages->back().events = *std::move(events);
            TROUPE_SOMETIMES("a handler ran again with a page of its history");
            run(*found, request, pages, true);
          }
          if (Resident* still = residents_.find(entity); still && !still->busy) run_waiting(*still);
        });
  });
}

}  // namespace troupe::actors
