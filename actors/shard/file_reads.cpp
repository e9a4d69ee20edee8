#include "actors/shard/file_reads.hpp"

#include <algorithm>
#include <utility>

namespace troupe::actors {
namespace {

Error missing_rows(const std::string& path, const std::string& what) {
  return data_loss("SHARD_FILE_CORRUPT",
                   path + ": " + what + ": the file is rotten; restore it from a copy");
}

// Of an entity with so many events, the first that is kept.
std::uint64_t oldest_of(const PageWanted& wanted, std::uint64_t count) {
  return wanted.keep == 0 || count <= wanted.keep ? 1 : count - wanted.keep + 1;
}

// Whether these are all events that were asked for, of an entity with so many.
bool is_whole(const std::vector<runtime::ShardFile::Event>& events, const PageWanted& wanted,
              std::uint64_t count) {
  const bool oldest_first = wanted.order == HistoryOrder::oldest_first;
  const auto oldest = oldest_of(wanted, count);
  const auto begin = oldest_first ? std::max(wanted.from, oldest)
                                  : std::min(wanted.from == 0 ? count : wanted.from, count);
  const auto there = oldest_first     ? (begin > count ? 0 : count - begin + 1)
                     : begin < oldest ? 0
                                      : begin - oldest + 1;
  if (events.size() != std::min<std::uint64_t>(wanted.limit, there)) return false;
  for (std::uint64_t i = 0; i < events.size(); ++i)
    if (events[i].sequence != (oldest_first ? begin + i : begin - i)) return false;
  return true;
}

}  // namespace

// An entity without a state has no events: if it has some, the key of its state has rotted.
Result<runtime::ShardFile::Loaded> load_entity(runtime::ShardFile& file, const std::string& path,
                                               runtime::Bucket bucket, const std::string& entity,
                                               std::size_t replies_max) {
  TROUPE_TRY(loaded, file.load(bucket, entity, replies_max));
  if (loaded.state) return loaded;
  TROUPE_TRY(events, file.events_before(bucket, entity, 0, 1));
  if (events.empty()) return loaded;
  return missing_rows(path, "the state of entity '" + entity + "' is missing, of which there are " +
                                std::to_string(events.front().sequence) + " events");
}

Result<std::vector<RawEvent>> read_page(runtime::ShardFile& file, const std::string& path,
                                        runtime::Bucket bucket, const std::string& entity,
                                        const PageWanted& wanted, std::uint64_t last_event) {
  // An entity names the first event that it wants, the file the one before it; 0 is the end.
  auto events = wanted.order == HistoryOrder::oldest_first
                    ? file.events_after(bucket, entity,
                                        std::max(wanted.from, oldest_of(wanted, last_event)) - 1,
                                        wanted.limit)
                    : file.events_before(bucket, entity, wanted.from == 0 ? 0 : wanted.from + 1,
                                         wanted.limit);
  if (!events) return std::move(events).error();
  // Of a time when more were kept.
  std::erase_if(*events, [oldest = oldest_of(wanted, last_event)](const auto& event) {
    return event.sequence < oldest;
  });
  if (!is_whole(*events, wanted, last_event))
    return missing_rows(path, "events of entity '" + entity +
                                  "' are missing, of which there were " +
                                  std::to_string(last_event));
  std::vector<RawEvent> page;
  page.reserve(events->size());
  for (auto& one : *events)
    page.push_back({one.sequence, WallTime{std::chrono::milliseconds{one.event.time_ms()}},
                    std::move(*one.event.mutable_event())});
  return page;
}

}  // namespace troupe::actors
