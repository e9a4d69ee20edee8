// Entities into memory: from the file, many in one visit.
#include <google/protobuf/message.h>

#include <algorithm>
#include <utility>

#include "actors/shard/file_reads.hpp"
#include "actors/shard/shard.hpp"
#include "runtime/rehearsal/marks.hpp"
#include "runtime/rehearsal/planted.hpp"

namespace troupe::actors {
namespace {

// Ids of stored replies that are read with an entity; with more, an Idempotency-Key is looked up.
constexpr std::size_t replies_loaded_max = 32;
// What a resident entity takes beside its state: the object, its place in the table, its key.
constexpr std::uint64_t resident_overhead_bytes = 640;

using LoadedMany = std::vector<Result<runtime::ShardFile::Loaded>>;

}  // namespace

void Shard::load(Resident& resident) {
  to_load_.push_back(resident.key);
  start_loads();
}

void Shard::start_loads() {
  if (loading_ || to_load_.empty()) return;
  loading_ = true;
  auto keys = std::make_shared<std::vector<std::string>>(std::exchange(to_load_, {}));
  auto buckets = std::make_shared<std::vector<runtime::Bucket>>();
  for (const std::string& key : *keys) buckets->push_back(residents_.find(key)->bucket);
  files_.run<LoadedMany>(
      [keys, buckets,
       path = spec_.file(generation_)](runtime::ShardFile& file) -> Result<LoadedMany> {
        LoadedMany many;
        many.reserve(keys->size());
        for (std::size_t i = 0; i < keys->size(); ++i)
          many.push_back(load_entity(file, path, (*buckets)[i], (*keys)[i], replies_loaded_max));
        return many;
      },
      [this, keys, epoch = epoch_](Result<LoadedMany> many) {
        TROUPE_SOMETIMES_IF(epoch != epoch_, "entities were dropped while they were loaded");
        if (epoch != epoch_) return;
        loading_ = false;
        for (std::size_t i = 0; i < keys->size(); ++i) {
          loaded((*keys)[i], std::move((*many)[i]));
          if (epoch != epoch_) return;
        }
        start_loads();
      });
}

void Shard::loaded(const std::string& key, Result<runtime::ShardFile::Loaded> loaded) {
  Resident& resident = *residents_.find(key);
  if (!loaded) {
    if (loaded.error().code == Code::data_loss) return fail_(loaded.error());
    TROUPE_SOMETIMES("an entity could not be loaded");
    const Error why = loaded.error();
    std::vector<RequestPtr> waiting = std::exchange(resident.waiting, {});
    waiting_ -= waiting.size();
    residents_.remove(resident);
    for (RequestPtr& request : waiting) request->answer(why);
    return;
  }
  resident.last_batch = overlay_unapplied(resident, *loaded);
  resident.exists = loaded->state.has_value();
  if (loaded->state) {
    resident.version = loaded->state->version();
    resident.last_event = loaded->state->last_event();
    // Planted: numbering goes on one too low.
    if (resident.last_event > 0 && TROUPE_PLANTED(events_out_of_sequence)) --resident.last_event;
  }
  resident.replies_complete = loaded->replies_complete;
  resident.replies.reserve(loaded->replies.size());
  for (const std::string& row : loaded->replies)
    resident.replies.push_back(ReplyKey::low_of_row(row));
  if (!renew_entity(resident, loaded->state ? loaded->state->state() : std::string_view{}))
    return fail_(state_malformed(key));
  resident.busy = false;
  run_waiting(resident);
}

// Only while commands are refused can an entity be loaded that has committed rows which are not in
// the file yet: otherwise it would still be resident. Returns the newest entry with such rows, 0 if
// there is none.
runtime::LogIndex Shard::overlay_unapplied(const Resident& resident,
                                           runtime::ShardFile::Loaded& loaded) const {
  runtime::LogIndex newest = 0;
  if (state_ != State::refusing) return newest;
  const auto overlay = [&](const runtime::ShardFile::Entry& entry) {
    wire::Batch batch;
    if (!entry.payload || !batch.ParseFromString(*entry.payload)) return;
    for (const wire::Row& row : batch.rows()) {
      if (row.bucket() != resident.bucket || row.entity() != resident.key) continue;
      TROUPE_SOMETIMES("an entity was read with rows laid over that the file lacks");
      newest = entry.index;
      if (row.change() == wire::Row::DELETE_ENTITY)
        loaded.state.reset();
      else if (row.kind() == wire::Row::STATE && row.change() == wire::Row::PUT)
        loaded.state.emplace().ParseFromString(row.value());
    }
  };
  if (applying_) std::for_each(applying_->begin(), applying_->end(), overlay);
  for (const auto& entry : unapplied_) overlay(entry);
  return newest;
}

// A new object of the author's class, holding this state. False if the bytes do not parse.
bool Shard::renew_entity(Resident& resident, std::string_view state) {
  resident.entity = spec_.service->make_entity();
  resident.entity->bind(resident.key);
  if (!state.empty() && !resident.entity->state_message().ParseFromArray(
                            state.data(), static_cast<int>(state.size())))
    return false;
  residents_.set_bytes(resident, resident_overhead_bytes + resident.key.size() + 2 * state.size() +
                                     8 * resident.replies.size());
  return true;
}

Error Shard::state_malformed(const std::string& key) const {
  return data_loss("STATE_MALFORMED", "the state of entity '" + key + "' in " +
                                          spec_.file(generation_) +
                                          " does not parse as the contract's state message");
}

// Runs what waited, until the entity is busy again.
void Shard::run_waiting(Resident& resident) {
  const std::string key = resident.key;
  std::vector<RequestPtr> waiting = std::exchange(resident.waiting, {});
  waiting_ -= waiting.size();
  for (RequestPtr& request : waiting) dispatch(std::move(request));
}

// The resident that a completion is for; null if everything was dropped meanwhile.
Resident* Shard::still_busy(const std::string& key, std::uint64_t epoch) {
  if (epoch != epoch_) return nullptr;
  Resident* resident = residents_.find(key);
  return resident && resident->busy ? resident : nullptr;
}

}  // namespace troupe::actors
