// Rows of some buckets into the file of a new shard.
#include "runtime/rehearsal/planted.hpp"
#include "runtime/storage/checksum.hpp"
#include "runtime/storage/shard_reader.hpp"

namespace troupe::runtime {

Result<void> ShardReader::copy_buckets(const wire::ShardSplit& split, Database& target,
                                       std::uint64_t& chain, std::uint64_t& entities) {
  TROUPE_TRY(query, database_.statement("SELECT value,due_ms,sum,bucket,entity,kind,sub FROM rows "
                                        "WHERE bucket>=?1 AND bucket<?2 "
                                        "ORDER BY bucket,entity,kind,sub"));
  TROUPE_TRY(put, target.statement("INSERT INTO rows VALUES(?1,?2,?3,?4,?5,?6,?7)"));
  wire::ShardRange range;
  range.set_first(split.first());
  range.set_end(split.end());
  range.set_token(split.token());
  const std::string value = range.SerializeAsString();
  TROUPE_CHECK(put->bind(0, std::string_view{}, static_cast<int>(wire::Row::RANGE),
                         std::string_view{}, value, 0,
                         row_checksum(0, {}, wire::Row::RANGE, {}, value, 0))
                   .run());
  chain = checksum_of_numbers(split.shard(), split.first(), split.end());
  const StatementGuard guard{*query};
  query->bind(split.first(), split.end());
  for (;;) {
    TROUPE_TRY(found, query->next());
    if (!found) return {};
    const auto bucket = static_cast<Bucket>(query->integer(3));
    const auto kind = static_cast<int>(query->integer(5));
    if (bucket == 0 && kind == wire::Row::RANGE) continue;
    // Planted: the new shard does not know which commands have run.
    if (kind == wire::Row::REPLY && TROUPE_PLANTED(split_forgets_replies)) continue;
    const std::int64_t due_ms = query->integer(1);
    const auto sum =
        row_checksum(bucket, query->blob(4), kind, query->blob(6), query->blob(0), due_ms);
    if (sum != query->integer(2)) return rotten("a row of bucket " + std::to_string(bucket));
    TROUPE_CHECK(
        put->bind(bucket, query->blob(4), kind, query->blob(6), query->blob(0), due_ms, sum).run());
    entities += kind == wire::Row::STATE ? 1 : 0;
    chain = checksum_of_numbers(chain, bucket, sum);
  }
}

}  // namespace troupe::runtime
