#include "runtime/storage/shard_rows.hpp"

#include "runtime/storage/checksum.hpp"

namespace troupe::runtime {
namespace {

std::uint64_t meta_checksum(const ShardMeta& meta) {
  return checksum_of_numbers(checksum(meta.identity), meta.applied.index, meta.applied.term,
                             meta.applied.time_ms, meta.applied.chain, meta.entities);
}

class Writer {
 public:
  Writer(Database& database, std::uint64_t& entities) : database_(database), entities_(entities) {}

  Result<void> prepare() {
    TROUPE_TRY(update_state,
               database_.statement("UPDATE rows SET value=?3,due_ms=?4,sum=?5 "
                                   "WHERE bucket=?1 AND entity=?2 AND kind=0 AND sub=x''"));
    TROUPE_TRY(put, database_.statement("REPLACE INTO rows VALUES(?1,?2,?3,?4,?5,?6,?7)"));
    TROUPE_TRY(remove, database_.statement("DELETE FROM rows WHERE bucket=?1 AND entity=?2 "
                                           "AND kind=?3 AND sub=?4"));
    TROUPE_TRY(remove_kind, database_.statement("DELETE FROM rows WHERE bucket=?1 AND entity=?2 "
                                                "AND kind=?3"));
    update_state_ = update_state;
    put_ = put;
    remove_ = remove;
    remove_kind_ = remove_kind;
    return {};
  }

  Result<void> write(const ShardChanges::Entity& entity) {
    if (entity.delete_first) {
      for (const auto kind : {wire::Row::STATE, wire::Row::EVENT, wire::Row::TIMER}) {
        TROUPE_CHECK(remove_kind_->bind(entity.bucket, entity.key, static_cast<int>(kind)).run());
        if (kind == wire::Row::STATE) entities_ -= static_cast<std::uint64_t>(database_.changes());
      }
    }
    for (const wire::Row* row : entity.changes)
      TROUPE_CHECK(row->change() == wire::Row::PUT ? put(entity, *row) : remove(entity, *row));
    return {};
  }

 private:
  Result<void> put(const ShardChanges::Entity& entity, const wire::Row& row) {
    const int kind = row.kind();
    const auto sum =
        row_checksum(entity.bucket, entity.key, kind, row.sub(), row.value(), row.due_ms());
    if (kind == wire::Row::STATE && row.sub().empty()) {
      // Mostly there already; if not, this is how an entity begins.
      TROUPE_CHECK(
          update_state_->bind(entity.bucket, entity.key, row.value(), row.due_ms(), sum).run());
      if (database_.changes() > 0) return {};
      ++entities_;
    }
    return put_->bind(entity.bucket, entity.key, kind, row.sub(), row.value(), row.due_ms(), sum)
        .run();
  }

  Result<void> remove(const ShardChanges::Entity& entity, const wire::Row& row) {
    TROUPE_CHECK(
        remove_->bind(entity.bucket, entity.key, static_cast<int>(row.kind()), row.sub()).run());
    if (row.kind() == wire::Row::STATE)
      entities_ -= static_cast<std::uint64_t>(database_.changes());
    return {};
  }

  Database& database_;
  std::uint64_t& entities_;
  Statement* update_state_ = nullptr;
  Statement* put_ = nullptr;
  Statement* remove_ = nullptr;
  Statement* remove_kind_ = nullptr;
};

// Of this bucket and all behind it.
Result<void> delete_buckets(Database& database, std::uint32_t from, std::uint64_t& entities) {
  if (from >= bucket_count) return {};
  TROUPE_TRY(states, database.statement("DELETE FROM rows WHERE bucket>=?1 AND kind=0"));
  TROUPE_CHECK(states->bind(from).run());
  entities -= static_cast<std::uint64_t>(database.changes());
  TROUPE_TRY(rest, database.statement("DELETE FROM rows WHERE bucket>=?1"));
  return rest->bind(from).run();
}

}  // namespace

const Schema& shard_schema() {
  static const Schema schema{
      .what = "shard file",
      .application_id = 0x54525348,  // "TRSH"
      .steps =
          {"CREATE TABLE meta(id INTEGER PRIMARY KEY, identity BLOB NOT NULL, "
           "applied_index INTEGER NOT NULL, applied_term INTEGER NOT NULL, time_ms INTEGER NOT "
           "NULL, "
           "chain INTEGER NOT NULL, entities INTEGER NOT NULL, sum INTEGER NOT NULL);"
           "CREATE TABLE rows(bucket INTEGER NOT NULL, entity BLOB NOT NULL, kind INTEGER NOT "
           "NULL, "
           "sub BLOB NOT NULL, value BLOB NOT NULL, due_ms INTEGER NOT NULL, sum INTEGER NOT NULL, "
           "PRIMARY KEY(bucket, entity, kind, sub)) WITHOUT ROWID;"
           "CREATE INDEX due ON rows(due_ms) WHERE due_ms > 0"},
      .checked_pages = true};
  return schema;
}

Result<void> insert_meta(Database& database, const ShardMeta& meta) {
  TROUPE_TRY(insert, database.statement("INSERT INTO meta VALUES(0,?1,?2,?3,?4,?5,?6,?7)"));
  return insert
      ->bind(meta.identity, meta.applied.index, meta.applied.term, meta.applied.time_ms,
             meta.applied.chain, meta.entities, meta_checksum(meta))
      .run();
}

Result<void> update_meta(Database& database, const ShardMeta& meta) {
  TROUPE_TRY(update, database.statement("UPDATE meta SET applied_index=?1, applied_term=?2, "
                                        "time_ms=?3, chain=?4, entities=?5, sum=?6 WHERE id=0"));
  return update
      ->bind(meta.applied.index, meta.applied.term, meta.applied.time_ms, meta.applied.chain,
             meta.entities, meta_checksum(meta))
      .run();
}

Result<ShardMeta> read_meta(Database& database) {
  TROUPE_TRY(query, database.statement("SELECT identity, applied_index, applied_term, time_ms, "
                                       "chain, entities, sum FROM meta WHERE id=0"));
  const StatementGuard guard{*query};
  TROUPE_TRY(found, query->bind().next());
  if (!found) return data_loss(shard_file_corrupt, database.path() + ": its meta row is missing");
  ShardMeta meta;
  meta.identity = query->blob(0);
  meta.applied.index = static_cast<LogIndex>(query->integer(1));
  meta.applied.term = static_cast<Term>(query->integer(2));
  meta.applied.time_ms = query->integer(3);
  meta.applied.chain = static_cast<std::uint64_t>(query->integer(4));
  meta.entities = static_cast<std::uint64_t>(query->integer(5));
  if (meta_checksum(meta) != static_cast<std::uint64_t>(query->integer(6)))
    return data_loss(shard_file_corrupt,
                     database.path() + ": its meta row does not match its checksum");
  return meta;
}

std::int32_t row_checksum(Bucket bucket, std::string_view entity, int kind, std::string_view sub,
                          std::string_view value, std::int64_t due_ms) {
  const auto key = checksum_of_numbers(bucket, kind, due_ms, checksum(entity), checksum(sub));
  return static_cast<std::int32_t>(checksum(value, key));
}

Result<void> write_changes(Database& database, ShardChanges& changes, std::uint64_t& entities) {
  TROUPE_CHECK(delete_buckets(database, changes.deleted_from(), entities));
  Writer writer{database, entities};
  TROUPE_CHECK(writer.prepare());
  return changes.for_each_entity(
      [&](const ShardChanges::Entity& entity) { return writer.write(entity); });
}

}  // namespace troupe::runtime
