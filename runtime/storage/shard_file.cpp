#include "runtime/storage/shard_file.hpp"

#include <algorithm>

#include "runtime/rehearsal/planted.hpp"
#include "runtime/storage/checksum.hpp"
#include "runtime/storage/shard_reader.hpp"
#include "runtime/storage/shard_rows.hpp"

namespace troupe::runtime {
namespace {

// The smallest file that is one: anything shorter SQLite would take for an empty database, and
// throw its WAL away.
constexpr std::uint64_t file_bytes_min = 512;

Result<void> create_file(Disk& disk, const std::string& path, const std::string& identity) {
  ShardMeta meta;
  meta.identity = identity;
  TROUPE_TRY(image, new_database(shard_schema(),
                                 [&](Database& database) { return insert_meta(database, meta); }));
  // What is left of a file that is gone would be taken for the new one's.
  TROUPE_CHECK(disk.remove(path + "-wal"));
  TROUPE_CHECK(disk.remove(path + "-journal"));
  return disk.write(path, image);
}

Database::Options database_options(const ShardFile::Options& options) {
  Database::Options of_database;
  of_database.sync = Database::Sync::checkpoints;
  of_database.cache_bytes = options.page_cache_bytes;
  of_database.corrupt_reason = shard_file_corrupt;
  of_database.checked_page_bytes = shard_schema().page_bytes;
  return of_database;
}

// After the header says that the file is ours, a statement that does not fit its tables means rot.
Error as_corrupt(Error error) {
  if (error.code == Code::internal) return data_loss(shard_file_corrupt, std::move(error.message));
  return error;
}

Result<void> is_of(const ShardMeta& meta, const std::string& identity, const std::string& path) {
  if (meta.identity == identity) return {};
  return failed_precondition("SHARD_FILE_MISMATCH",
                             path + ": this is the file of " + meta.identity + ", not of " +
                                 identity + "; put each shard's file back where it belongs");
}

Result<void> is_long_enough(Disk& disk, const std::string& path, const std::string& identity) {
  TROUPE_TRY(bytes, disk.size(path));
  if (bytes >= file_bytes_min) return {};
  return data_loss(shard_file_corrupt, path + ": only " + std::to_string(bytes) +
                                           " bytes are left of the file of " + identity);
}

class SqliteShardFile final : public ShardFile {
 public:
  SqliteShardFile(Disk& disk, std::unique_ptr<Database> database)
      : disk_(disk), database_(std::move(database)), reader_(*database_) {}

  Result<void> start(const std::string& identity) {
    TROUPE_CHECK(migrate(*database_, shard_schema(), shard_file_corrupt));
    auto meta = read_meta(*database_);
    if (!meta) return as_corrupt(std::move(meta).error());
    meta_ = *std::move(meta);
    TROUPE_CHECK(is_of(meta_, identity, database_->path()));
    auto ready = reader_.prepare();
    if (!ready) return as_corrupt(std::move(ready).error());
    TROUPE_TRY(range, reader_.range());
    if (range) range_ = std::make_shared<const wire::ShardRange>(*std::move(range));
    return {};
  }

  std::shared_ptr<const wire::ShardRange> range() const override { return range_; }

  Applied applied() const override { return meta_.applied; }
  std::uint64_t entity_count() const override { return meta_.entities; }
  std::uint64_t wal_bytes() const override { return database_->wal_bytes(); }

  Result<void> apply(const std::vector<Entry>& entries) override {
    ShardChanges changes;
    ShardMeta next = meta_;
    for (const Entry& entry : entries) {
      if (entry.index <= next.applied.index) continue;
      TROUPE_CHECK(add(entry, changes, next.applied));
      // Planted: some entries are applied twice.
      if (entry.index % 16 == 0 && TROUPE_PLANTED(entry_applied_twice)) {
        --next.applied.index;
        TROUPE_CHECK(add(entry, changes, next.applied));
      }
    }
    if (next.applied == meta_.applied) return {};
    TROUPE_CHECK(database_->begin());
    auto written = write_changes(*database_, changes, next.entities);
    if (written) written = update_meta(*database_, next);
    if (!written) {
      database_->rollback();
      return written;
    }
    TROUPE_CHECK(database_->commit());
    meta_ = std::move(next);
    if (const wire::Row* row = changes.range()) {
      auto range = std::make_shared<wire::ShardRange>();
      if (!range->ParseFromString(row->value()))
        return internal("BAD_BATCH", database_->path() + ": a shard's range does not parse");
      range_ = std::move(range);
    }
    return {};
  }

  Result<Loaded> load(Bucket bucket, std::string_view entity, std::size_t replies_max) override {
    return reader_.load(bucket, entity, replies_max);
  }
  Result<std::optional<wire::StoredReply>> reply(Bucket bucket, std::string_view entity,
                                                 std::string_view sub) override {
    return reader_.reply(bucket, entity, sub);
  }
  Result<std::vector<Event>> events_after(Bucket bucket, std::string_view entity,
                                          std::uint64_t after, std::size_t limit) override {
    return reader_.events_after(bucket, entity, after, limit);
  }
  Result<std::vector<Event>> events_before(Bucket bucket, std::string_view entity,
                                           std::uint64_t before, std::size_t limit) override {
    return reader_.events_before(bucket, entity, before, limit);
  }
  Result<std::vector<Due>> due(std::int64_t now_ms, std::size_t limit) override {
    return reader_.due(now_ms, limit);
  }

  Result<Applied> checkpoint() override {
    // Planted: a checkpoint is not synced.
    if (TROUPE_PLANTED(checkpoint_without_sync))
      TROUPE_CHECK(database_->execute("PRAGMA synchronous=OFF"));
    TROUPE_CHECK(database_->checkpoint());
    return meta_.applied;
  }

  Result<Applied> copy_to(const std::string& path) override {
    TROUPE_CHECK(database_->copy_to(disk_, path));
    return meta_.applied;
  }

  Result<Applied> split_off(const std::string& path, const std::string& identity,
                            const wire::ShardSplit& split) override {
    TROUPE_CHECK(disk_.remove(path));
    TROUPE_CHECK(create_file(disk_, path, identity));
    TROUPE_TRY(target, Database::open(disk_, path, database_options({})));
    ShardMeta meta;
    meta.identity = identity;
    meta.applied = {split.index(), 1, split.time_ms(), 0};
    TROUPE_CHECK(target->begin());
    TROUPE_CHECK(reader_.copy_buckets(split, *target, meta.applied.chain, meta.entities));
    TROUPE_CHECK(update_meta(*target, meta));
    TROUPE_CHECK(target->commit());
    TROUPE_CHECK(target->checkpoint());
    return meta.applied;
  }

  Result<std::vector<std::string>> verify() override { return reader_.verify(meta_); }

 private:
  Result<void> add(const Entry& entry, ShardChanges& changes, Applied& applied) const {
    if (entry.index != applied.index + 1)
      return internal("SHARD_FILE_GAP", database_->path() + ": entry " +
                                            std::to_string(entry.index) + " comes after entry " +
                                            std::to_string(applied.index));
    applied.index = entry.index;
    applied.term = entry.term;
    if (!entry.payload || entry.payload->empty()) return {};
    if (auto added = changes.add(*entry.payload); !added) {
      auto error = std::move(added).error();
      error.message =
          database_->path() + ": entry " + std::to_string(entry.index) + ": " + error.message;
      return error;
    }
    applied.time_ms = changes.time_ms();
    applied.chain = checksum_of_numbers(applied.chain, entry.index, checksum(*entry.payload));
    return {};
  }

  Disk& disk_;
  std::unique_ptr<Database> database_;
  ShardReader reader_;
  ShardMeta meta_;
  std::shared_ptr<const wire::ShardRange> range_;
};

}  // namespace

Result<std::unique_ptr<ShardFile>> ShardFile::open(Disk& disk, const std::string& path,
                                                   const std::string& identity, bool create,
                                                   Options options) {
  TROUPE_TRY(exists, disk.exists(path));
  if (!exists && !create)
    return data_loss("SHARD_FILE_MISSING",
                     path + ": the file of " + identity +
                         " is missing; restore it from a copy, or let the shard's other replicas "
                         "rebuild it");
  if (!exists) TROUPE_CHECK(create_file(disk, path, identity));
  TROUPE_CHECK(is_long_enough(disk, path, identity));
  TROUPE_TRY(database, Database::open(disk, path, database_options(options)));
  auto file = std::make_unique<SqliteShardFile>(disk, std::move(database));
  TROUPE_CHECK(file->start(identity));
  return file;
}

Result<ShardFile::Inspected> ShardFile::inspect(Disk& disk, const std::string& path,
                                                const std::string& identity) {
  TROUPE_CHECK(is_long_enough(disk, path, identity));
  TROUPE_TRY(database, Database::open_immutable(disk, path, database_options({})));
  TROUPE_TRY(application, database->query_integer("PRAGMA application_id"));
  TROUPE_TRY(version, database->query_integer("PRAGMA user_version"));
  TROUPE_CHECK(check_schema(shard_schema(), application, version, path, shard_file_corrupt));
  auto meta = read_meta(*database);
  if (!meta) return as_corrupt(std::move(meta).error());
  TROUPE_CHECK(is_of(*meta, identity, path));
  ShardReader reader{*database};
  TROUPE_TRY(findings, reader.verify(*meta));
  std::optional<wire::ShardRange> range;
  if (findings.empty()) {
    auto prepared = reader.prepare();
    if (!prepared) return as_corrupt(std::move(prepared).error());
    TROUPE_TRY(found, reader.range());
    range = std::move(found);
  }
  return Inspected{meta->applied, meta->entities, std::move(findings), std::move(range)};
}

}  // namespace troupe::runtime
