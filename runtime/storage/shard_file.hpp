// The state of one shard: rows of its entities in one SQLite file (WAL, synchronous=NORMAL).
//
// The file may lose its newest transactions in a power cut; `applied` commits with the rows, so
// the node log brings it up to date. What `checkpoint()` returned cannot be lost any more: only
// entries up to there may be cut from the log.
//
// Threads: not thread-safe and blocking. It is used from its shard's Workers queue alone.
//
// Errors: RESOURCE_EXHAUSTED / DISK_FULL (nothing was applied; try again later); DATA_LOSS with
// reason SHARD_FILE_CORRUPT names the file and what was found. Any other failed write or sync is
// for the caller to end the node with (fail-stop).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/platform/disk.hpp"
#include "runtime/result.hpp"
#include "runtime/storage/ids.hpp"
#include "runtime/wire/batch.pb.h"

namespace troupe::runtime {

class ShardFile {
 public:
  struct Options {
    std::uint64_t page_cache_bytes = 8ull << 20;  // this file's share of the node's budget
  };

  // What the file holds. Commits with the rows.
  struct Applied {
    LogIndex index = 0;
    Term term = 0;
    std::int64_t time_ms = 0;  // shard time of the newest batch
    std::uint64_t chain = 0;   // hash over (previous chain, index, payload) of every batch
    friend bool operator==(const Applied&, const Applied&) = default;
  };

  // `create`: whether a missing file may be made (a new shard); otherwise it is DATA_LOSS with
  // reason SHARD_FILE_MISSING. `identity` (service and shard, e.g. "banking.v1.Accounts/2") is
  // written into a new file and must match an old one's.
  static Result<std::unique_ptr<ShardFile>> open(Disk& disk, const std::string& path,
                                                 const std::string& identity, bool create,
                                                 Options options);
  virtual ~ShardFile() = default;  // closes without a checkpoint

  struct Inspected {
    Applied applied;
    std::uint64_t entities = 0;
    std::vector<std::string> findings;      // verify()
    std::optional<wire::ShardRange> range;  // of one that was split, or came of a split
  };
  // Looks at a file that nobody has open and that has no WAL, all of it, and changes nothing, nor
  // does it make a file beside it. Besides DATA_LOSS: SCHEMA_TOO_NEW, SHARD_FILE_MISMATCH.
  static Result<Inspected> inspect(Disk& disk, const std::string& path,
                                   const std::string& identity);

  virtual Applied applied() const = 0;

  // Which buckets it has, as of applied(); null: it was never split.
  virtual std::shared_ptr<const wire::ShardRange> range() const = 0;

  struct Entry {
    LogIndex index = 0;
    Term term = 0;
    SharedBytes payload;  // a wire::Batch; null or empty for entries that carry no rows
  };
  // Applies entries in order in one transaction. Entries at or below applied().index are skipped; a
  // gap is INTERNAL. Several changes of one row within the call cost one.
  virtual Result<void> apply(const std::vector<Entry>& entries) = 0;

  struct StoredReplyRow {
    std::string sub;
    wire::StoredReply reply;
  };
  struct Loaded {
    std::optional<wire::EntityState> state;  // nullopt: the entity does not exist
    std::vector<std::string> replies;        // `sub` of its reply rows, at most `replies_max`
    bool replies_complete = true;            // false: there are more, and these are any of them
  };
  virtual Result<Loaded> load(Bucket bucket, std::string_view entity, std::size_t replies_max) = 0;

  virtual Result<std::optional<wire::StoredReply>> reply(Bucket bucket, std::string_view entity,
                                                         std::string_view sub) = 0;

  struct Event {
    std::uint64_t sequence = 0;
    wire::StoredEvent event;
  };
  // At most `limit` events with sequence > after (or, newest first, < before; 0: from the end).
  virtual Result<std::vector<Event>> events_after(Bucket bucket, std::string_view entity,
                                                  std::uint64_t after, std::size_t limit) = 0;
  virtual Result<std::vector<Event>> events_before(Bucket bucket, std::string_view entity,
                                                   std::uint64_t before, std::size_t limit) = 0;

  // Rows whose due_ms is at or before `now_ms`, oldest first: what to purge or to fire.
  struct Due {
    std::int64_t due_ms = 0;
    Bucket bucket = 0;
    std::string entity;
    wire::Row::Kind kind = wire::Row::STATE;
    std::string sub;
  };
  virtual Result<std::vector<Due>> due(std::int64_t now_ms, std::size_t limit) = 0;

  // Number of entities that exist. O(1): kept with the rows.
  virtual std::uint64_t entity_count() const = 0;

  // Copies the WAL into the file and syncs it. Returns what can no longer be lost.
  virtual Result<Applied> checkpoint() = 0;
  virtual std::uint64_t wal_bytes() const = 0;

  // Makes `path` a file of its own with the rows that this one has now; what was there is replaced.
  // Not synced. It reads all pages: as long as it runs, nothing else gets to the file.
  virtual Result<Applied> copy_to(const std::string& path) = 0;

  // Makes `path` the file of a new shard with the rows of a split's buckets, which this file has
  // unchanged since the split began; what was there is replaced. Synced. As if it held all up
  // to entry split.index() of the new shard's log, in term 1. Its chain begins as a hash over rows.
  virtual Result<Applied> split_off(const std::string& path, const std::string& identity,
                                    const wire::ShardSplit& split) = 0;

  // Everything that can be checked: SQLite's integrity_check and our own page checks. Empty: fine.
  virtual Result<std::vector<std::string>> verify() = 0;
};

}  // namespace troupe::runtime
