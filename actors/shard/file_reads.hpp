// What a shard reads of its file, with the checks that the file's checksums do not do: that no row
// is missing because its key has rotted. Blocks: runs on the shard's queue (shard_files.hpp).
//
// DATA_LOSS / SHARD_FILE_CORRUPT names `path` and the entity; other errors are the file's.
#pragma once

#include <string>
#include <vector>

#include "actors/entity.hpp"
#include "runtime/storage/shard_file.hpp"

namespace troupe::actors {

// An entity's state, and at most `replies_max` of the ids of its stored replies.
Result<runtime::ShardFile::Loaded> load_entity(runtime::ShardFile& file, const std::string& path,
                                               runtime::Bucket bucket, const std::string& entity,
                                               std::size_t replies_max);

// A page of an entity's history, as HandlerContext::history() names it, of an entity that has
// `last_event` events.
struct PageWanted {
  HistoryOrder order = HistoryOrder::oldest_first;
  std::uint64_t from = 0;
  std::size_t limit = 0;
  std::uint64_t keep = 0;  // Entity::history_max()
};
Result<std::vector<RawEvent>> read_page(runtime::ShardFile& file, const std::string& path,
                                        runtime::Bucket bucket, const std::string& entity,
                                        const PageWanted& wanted, std::uint64_t last_event);

}  // namespace troupe::actors
