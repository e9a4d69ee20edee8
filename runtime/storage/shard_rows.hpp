// The tables of a shard file and the statements that change them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/storage/schema.hpp"
#include "runtime/storage/shard_changes.hpp"
#include "runtime/storage/shard_file.hpp"
#include "runtime/storage/sqlite.hpp"

namespace troupe::runtime {

inline constexpr char shard_file_corrupt[] = "SHARD_FILE_CORRUPT";

const Schema& shard_schema();

// The one row of `meta`.
struct ShardMeta {
  std::string identity;
  ShardFile::Applied applied;
  std::uint64_t entities = 0;
};
Result<void> insert_meta(Database& database, const ShardMeta& meta);
Result<void> update_meta(Database& database, const ShardMeta& meta);
// DATA_LOSS / SHARD_FILE_CORRUPT if it is not there or does not match its checksum.
Result<ShardMeta> read_meta(Database& database);

// Of a row, key included. 32 bits: what rots by chance is found, and it costs four bytes.
std::int32_t row_checksum(Bucket bucket, std::string_view entity, int kind, std::string_view sub,
                          std::string_view value, std::int64_t due_ms);

// Inside a transaction. Changes `entities` by those that came and went.
Result<void> write_changes(Database& database, ShardChanges& changes, std::uint64_t& entities);

}  // namespace troupe::runtime
