// Reads rows of a shard file. Every row is checked against its checksum as it is read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/storage/shard_file.hpp"
#include "runtime/storage/shard_rows.hpp"
#include "runtime/storage/sqlite.hpp"

namespace troupe::runtime {

class ShardReader {
 public:
  explicit ShardReader(Database& database) : database_(database) {}

  Result<void> prepare();

  Result<ShardFile::Loaded> load(Bucket bucket, std::string_view entity, std::size_t replies_max);
  Result<std::optional<wire::StoredReply>> reply(Bucket bucket, std::string_view entity,
                                                 std::string_view sub);
  Result<std::vector<ShardFile::Event>> events_after(Bucket bucket, std::string_view entity,
                                                     std::uint64_t after, std::size_t limit);
  Result<std::vector<ShardFile::Event>> events_before(Bucket bucket, std::string_view entity,
                                                      std::uint64_t before, std::size_t limit);
  Result<std::vector<ShardFile::Due>> due(std::int64_t now_ms, std::size_t limit);

  // Which buckets the shard has; nullopt: it was never split.
  Result<std::optional<wire::ShardRange>> range();
  // Puts the rows of a split's buckets into the new shard's file, inside a transaction of that,
  // with its range. `chain`: a hash over them; `entities`: how many there are.
  Result<void> copy_buckets(const wire::ShardSplit& split, Database& target, std::uint64_t& chain,
                            std::uint64_t& entities);

  // What is wrong with the file; empty: nothing.
  Result<std::vector<std::string>> verify(const ShardMeta& meta);

 private:
  template <class Message>
  Result<std::optional<Message>> one(Bucket bucket, std::string_view entity, wire::Row::Kind kind,
                                     std::string_view sub);
  Result<std::vector<ShardFile::Event>> events(Statement& query, Bucket bucket,
                                               std::string_view entity, std::string_view border,
                                               std::size_t limit);
  // The value in column 0, checked with due_ms in column 1 and the checksum in column 2.
  template <class Message>
  Result<Message> checked(const Statement& query, Bucket bucket, std::string_view entity,
                          wire::Row::Kind kind, std::string_view sub) const;
  Error rotten(const std::string& row) const;
  Result<void> verify_rows(const ShardMeta& meta, std::vector<std::string>& findings);

  Database& database_;
  Statement* row_ = nullptr;
  Statement* replies_ = nullptr;
  Statement* after_ = nullptr;
  Statement* before_ = nullptr;
  Statement* due_ = nullptr;
};

}  // namespace troupe::runtime
