// Reads that may be stale: what the file holds, and nothing else, on any replica and while nobody
// leads.
//
// Each runs over an entity of its own, made of rows that one visit of the file has read, with the
// index up to which they are applied; it is dropped with the answer. So a read never sees what is
// not committed, and nothing of it can be older than a batch that comes later. Reads that come
// while a visit is under way share the next one.
#include <google/protobuf/message.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "actors/shard/handler_run.hpp"
#include "runtime/rehearsal/marks.hpp"

namespace troupe::actors {

struct Shard::StaleRead {
  RequestPtr request;
  std::vector<PageWanted> wanted;  // of the entity's history, as the handler has asked so far
};

struct Shard::FileView {
  runtime::ShardFile::Loaded loaded;
  std::vector<Page> pages;
};

namespace {

Error too_old(const std::string& shard, Duration age, Duration age_max) {
  const auto seconds = [](Duration time) {
    return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(time).count()) + " s";
  };
  return unavailable(
      "STALE_READ_TOO_OLD",
      "this replica of " + shard +
          (age == Duration::max() ? " does not know how old its rows are"
                                  : " was last up to date with a leader " + seconds(age) + " ago") +
          ", and answers reads for " + seconds(age_max) +
          " (stale_age_max) only; 'troupe shards' shows which replicas are missing");
}

}  // namespace

void Shard::read_stale(RequestPtr request) {
  if (refused_as_quarantined(*request)) return;
  if (const Duration age = age_of(applied_); age > spec_.options.stale_age_max) {
    TROUPE_SOMETIMES("a stale read was refused because the replica's rows are too old");
    return request->answer(too_old(spec_.name(), age, spec_.options.stale_age_max));
  }
  if (waiting_ >= spec_.options.waiting_max)
    return request->answer(resource_exhausted(
        "SHARD_OVERLOADED", spec_.name() + " has " + std::to_string(waiting_) +
                                " requests waiting; retry later under the same message id"));
  ++waiting_;
  stale_reads_.push_back(std::make_shared<StaleRead>(StaleRead{std::move(request), {}}));
  visit_for_stale_reads();
}

void Shard::visit_for_stale_reads() {
  if (visiting_ || stale_reads_.empty()) return;
  visiting_ = true;
  struct Visit {
    runtime::ShardFile::Applied applied;
    std::vector<Result<FileView>> views;  // one for each read
  };
  const auto reads = std::make_shared<const StaleReads>(std::exchange(stale_reads_, {}));
  files_.run<Visit>(
      [reads, path = spec_.file(generation_)](runtime::ShardFile& file) -> Result<Visit> {
        Visit visit{file.applied(), {}};
        visit.views.reserve(reads->size());
        for (const auto& read : *reads) visit.views.push_back(view(file, path, *read));
        return visit;
      },
      [this, reads](Result<Visit> visit) {
        visiting_ = false;
        waiting_ -= reads->size();
        for (std::size_t i = 0; i < reads->size(); ++i) {
          const auto& read = (*reads)[i];
          if (visit->views[i]) {
            run_stale(read, *std::move(visit->views[i]), visit->applied);
            continue;
          }
          const Error& why = visit->views[i].error();
          read->request->answer(why);
          if (why.code == Code::data_loss) return fail_(why);
        }
        visit_for_stale_reads();
      });
}

// On the file's queue.
Result<Shard::FileView> Shard::view(runtime::ShardFile& file, const std::string& path,
                                    const StaleRead& read) {
  const Request& request = *read.request;
  if (const auto range = file.range()) {
    const std::uint32_t end = range->has_split() ? range->split().first() : range->end();
    if (request.bucket < range->first() || request.bucket >= end)
      return unavailable("BUCKET_MOVED", path + " does not hold the key's bucket any more");
  }
  TROUPE_TRY(loaded, load_entity(file, path, request.bucket, request.key, 0));
  FileView view{std::move(loaded), {}};
  const std::uint64_t last_event = view.loaded.state ? view.loaded.state->last_event() : 0;
  for (const PageWanted& wanted : read.wanted) {
    TROUPE_TRY(events, read_page(file, path, request.bucket, request.key, wanted, last_event));
    view.pages.push_back({wanted, std::move(events)});
  }
  return view;
}

void Shard::run_stale(const std::shared_ptr<StaleRead>& read, FileView view,
                      const runtime::ShardFile::Applied& applied) {
  const RequestPtr& request = read->request;
  if (refused_as_late(*request)) return;
  const MethodType& method = spec_.service->type->methods[request->method];
  const Duration age = age_of(applied);
  if (age > spec_.options.stale_age_max)
    return request->answer(too_old(spec_.name(), age, spec_.options.stale_age_max));
  const auto entity = spec_.service->make_entity();
  entity->bind(request->key);
  if (view.loaded.state && !entity->state_message().ParseFromString(view.loaded.state->state()))
    return fail_(state_malformed(request->key));
  const std::int64_t wall = surroundings_.platform->clock().wall().time_since_epoch().count();
  Context context{std::max(wall, applied.time_ms), request->on_behalf_of,
                  spec_.options.history_page_max,
                  [&view](const PageWanted& wanted) { return find_page(view.pages, wanted); }};
  std::optional<Result<std::string>> reply;
  try {
    const Entered entered{*entity, context, *surroundings_.vitals, request->method, now()};
    reply = entity->execute(request->method, request->payload).reply;
  } catch (const PageNeeded& needed) {
    if (read->wanted.size() >= pages_max) return request->answer(history_too_long(method));
    TROUPE_SOMETIMES("a stale read asked for a page of its history");
    read->wanted.push_back(needed.wanted);
    read->wanted.back().keep = entity->history_max();
    ++waiting_;
    stale_reads_.push_back(read);
    return;
  } catch (const std::exception& exception) {
    return answer_thrown(request, exception.what());
  } catch (...) {
    return answer_thrown(request, "something that is no std::exception");
  }
  surroundings_.vitals->stale_reads.fetch_add(1, std::memory_order_relaxed);
  TROUPE_SOMETIMES_IF(state_ != State::serving, "a replica that does not lead answered a read");
  if (!*reply) {
    surroundings_.vitals->errors.fetch_add(1, std::memory_order_relaxed);
    return answer(*request, std::move(*reply).error(), applied.index);
  }
  const std::uint64_t version = view.loaded.state ? view.loaded.state->version() : 0;
  answer(*request, Reply{.payload = std::move(**reply), .age = age, .version = version},
         applied.index);
}

void Shard::refuse_stale_reads(const Error& why) {
  waiting_ -= stale_reads_.size();
  for (const auto& read : std::exchange(stale_reads_, {})) read->request->answer(why);
}

// How long ago these rows were all that was committed, at most. A replica that has not been up to
// date since it started goes by the clock: its newest rows say when they were written.
Duration Shard::age_of(const runtime::ShardFile::Applied& applied) {
  if (const auto fresh = consensus_->note_applied(applied.index))
    return std::max<Duration>(now() - *fresh, Duration::zero());
  if (applied.time_ms == 0) return Duration::max();
  const std::int64_t wall = surroundings_.platform->clock().wall().time_since_epoch().count();
  return std::chrono::milliseconds{std::max<std::int64_t>(wall - applied.time_ms, 0)};
}

}  // namespace troupe::actors
