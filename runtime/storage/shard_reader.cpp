#include "runtime/storage/shard_reader.hpp"

#include <algorithm>

#include "runtime/rehearsal/marks.hpp"
#include "runtime/rehearsal/planted.hpp"

namespace troupe::runtime {
namespace {

constexpr std::size_t findings_max = 100;
constexpr std::size_t limit_max = 1 << 30;  // SQLite's limits are signed

// As EVENT rows are keyed: 8 bytes big-endian, so that they sort by number.
std::string sub_of(std::uint64_t sequence) {
  std::string sub(8, '\0');
  for (std::size_t i = 8; i-- > 0; sequence >>= 8) sub[i] = static_cast<char>(sequence & 0xff);
  return sub;
}

std::uint64_t sequence_of(std::string_view sub) {
  std::uint64_t sequence = 0;
  for (const char byte : sub) sequence = sequence << 8 | static_cast<unsigned char>(byte);
  return sequence;
}

std::string hex(std::string_view bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text = "x'";
  for (const char byte : bytes) {
    text += digits[static_cast<unsigned char>(byte) >> 4];
    text += digits[static_cast<unsigned char>(byte) & 15];
  }
  return text + "'";
}

std::string name_of(Bucket bucket, std::string_view entity, int kind, std::string_view sub) {
  return "row (bucket " + std::to_string(bucket) + ", entity " + hex(entity) + ", " +
         (wire::Row::Kind_IsValid(kind) ? wire::Row::Kind_Name(static_cast<wire::Row::Kind>(kind))
                                        : "kind " + std::to_string(kind)) +
         ", sub " + hex(sub) + ")";
}

}  // namespace

Result<void> ShardReader::prepare() {
  TROUPE_TRY(row, database_.statement("SELECT value,due_ms,sum FROM rows WHERE bucket=?1 AND "
                                      "entity=?2 AND kind=?3 AND sub=?4"));
  TROUPE_TRY(replies, database_.statement("SELECT sub FROM rows WHERE bucket=?1 AND entity=?2 AND "
                                          "kind=?3 ORDER BY sub LIMIT ?4"));
  TROUPE_TRY(after, database_.statement("SELECT value,due_ms,sum,sub FROM rows WHERE bucket=?1 AND "
                                        "entity=?2 AND kind=?3 AND sub>?4 ORDER BY sub LIMIT ?5"));
  TROUPE_TRY(before,
             database_.statement("SELECT value,due_ms,sum,sub FROM rows WHERE bucket=?1 AND "
                                 "entity=?2 AND kind=?3 AND sub<?4 ORDER BY sub DESC LIMIT ?5"));
  TROUPE_TRY(due,
             database_.statement("SELECT due_ms,bucket,entity,kind,sub FROM rows INDEXED BY due "
                                 "WHERE due_ms>0 AND due_ms<=?1 "
                                 "ORDER BY due_ms,bucket,entity,kind,sub LIMIT ?2"));
  row_ = row;
  replies_ = replies;
  after_ = after;
  before_ = before;
  due_ = due;
  return {};
}

namespace {

// Whether the row at which `query` stands, its value, due_ms and checksum in columns 0 to 2, is
// what was stored.
bool matches(const Statement& query, Bucket bucket, std::string_view entity, int kind,
             std::string_view sub) {
  const bool sound =
      row_checksum(bucket, entity, kind, sub, query.blob(0), query.integer(1)) == query.integer(2);
  TROUPE_SOMETIMES_IF(!sound, "a rotten row of a shard file was met");
  // Planted: a row's checksum is not looked at.
  return sound || TROUPE_PLANTED(shard_checksums_ignored);
}

}  // namespace

Error ShardReader::rotten(const std::string& row) const {
  return data_loss(shard_file_corrupt, database_.path() + ": " + row +
                                           " does not match its checksum: the file is rotten; "
                                           "restore it from a copy, or remove it if its content "
                                           "can be rebuilt");
}

template <class Message>
Result<Message> ShardReader::checked(const Statement& query, Bucket bucket, std::string_view entity,
                                     wire::Row::Kind kind, std::string_view sub) const {
  const auto value = query.blob(0);
  Message message;
  if (!matches(query, bucket, entity, kind, sub) ||
      !message.ParseFromArray(value.data(), static_cast<int>(value.size())))
    return rotten(name_of(bucket, entity, kind, sub));
  return message;
}

template <class Message>
Result<std::optional<Message>> ShardReader::one(Bucket bucket, std::string_view entity,
                                                wire::Row::Kind kind, std::string_view sub) {
  const StatementGuard guard{*row_};
  TROUPE_TRY(found, row_->bind(bucket, entity, static_cast<int>(kind), sub).next());
  if (!found) return std::optional<Message>{};
  TROUPE_TRY(message, checked<Message>(*row_, bucket, entity, kind, sub));
  return std::optional<Message>{std::move(message)};
}

Result<ShardFile::Loaded> ShardReader::load(Bucket bucket, std::string_view entity,
                                            std::size_t replies_max) {
  ShardFile::Loaded loaded;
  TROUPE_TRY(state, one<wire::EntityState>(bucket, entity, wire::Row::STATE, {}));
  loaded.state = std::move(state);
  const StatementGuard guard{*replies_};
  replies_->bind(bucket, entity, static_cast<int>(wire::Row::REPLY),
                 std::min(replies_max, limit_max) + 1);
  for (;;) {
    TROUPE_TRY(found, replies_->next());
    if (!found) return loaded;
    if (loaded.replies.size() == replies_max) {
      loaded.replies_complete = false;
      return loaded;
    }
    loaded.replies.emplace_back(replies_->blob(0));
  }
}

Result<std::optional<wire::StoredReply>> ShardReader::reply(Bucket bucket, std::string_view entity,
                                                            std::string_view sub) {
  return one<wire::StoredReply>(bucket, entity, wire::Row::REPLY, sub);
}

Result<std::optional<wire::ShardRange>> ShardReader::range() {
  return one<wire::ShardRange>(0, {}, wire::Row::RANGE, {});
}

Result<std::vector<ShardFile::Event>> ShardReader::events_after(Bucket bucket,
                                                                std::string_view entity,
                                                                std::uint64_t after,
                                                                std::size_t limit) {
  return events(*after_, bucket, entity, sub_of(after), limit);
}

Result<std::vector<ShardFile::Event>> ShardReader::events_before(Bucket bucket,
                                                                 std::string_view entity,
                                                                 std::uint64_t before,
                                                                 std::size_t limit) {
  // 0: behind every number that there can be.
  return events(*before_, bucket, entity, before == 0 ? std::string(9, '\xff') : sub_of(before),
                limit);
}

Result<std::vector<ShardFile::Event>> ShardReader::events(Statement& query, Bucket bucket,
                                                          std::string_view entity,
                                                          std::string_view border,
                                                          std::size_t limit) {
  std::vector<ShardFile::Event> events;
  const StatementGuard guard{query};
  query.bind(bucket, entity, static_cast<int>(wire::Row::EVENT), border,
             std::min(limit, limit_max));
  for (;;) {
    TROUPE_TRY(found, query.next());
    if (!found) return events;
    const auto sub = query.blob(3);
    TROUPE_TRY(event, checked<wire::StoredEvent>(query, bucket, entity, wire::Row::EVENT, sub));
    events.push_back({sequence_of(sub), std::move(event)});
  }
}

Result<std::vector<ShardFile::Due>> ShardReader::due(std::int64_t now_ms, std::size_t limit) {
  std::vector<ShardFile::Due> rows;
  const StatementGuard guard{*due_};
  due_->bind(now_ms, std::min(limit, limit_max));
  for (;;) {
    TROUPE_TRY(found, due_->next());
    if (!found) return rows;
    ShardFile::Due row;
    row.due_ms = due_->integer(0);
    row.bucket = static_cast<Bucket>(due_->integer(1));
    row.entity = due_->blob(2);
    row.kind = static_cast<wire::Row::Kind>(due_->integer(3));
    row.sub = due_->blob(4);
    // The index has no checksums. What it names goes into a batch, and so to other replicas.
    const int kind = static_cast<int>(row.kind);
    const StatementGuard row_guard{*row_};
    TROUPE_TRY(there, row_->bind(row.bucket, row.entity, kind, row.sub).next());
    if (!there || row_->integer(1) != row.due_ms ||
        !matches(*row_, row.bucket, row.entity, kind, row.sub))
      return rotten(name_of(row.bucket, row.entity, kind, row.sub));
    rows.push_back(std::move(row));
  }
}

Result<std::vector<std::string>> ShardReader::verify(const ShardMeta& meta) {
  std::vector<std::string> findings;
  TROUPE_TRY(check, database_.statement("PRAGMA integrity_check(100)"));
  {
    const StatementGuard guard{*check};
    check->bind();
    for (;;) {
      auto found = check->next();
      if (!found && found.error().code == Code::data_loss) {
        findings.push_back(found.error().message);
        return findings;
      }
      TROUPE_CHECK(found);
      if (!*found) break;
      if (check->blob(0) != "ok")
        findings.push_back(database_.path() + ": " + std::string{check->blob(0)});
    }
  }
  auto rows = verify_rows(meta, findings);
  if (!rows && rows.error().code == Code::data_loss) {
    findings.push_back(rows.error().message);
    return findings;
  }
  TROUPE_CHECK(rows);
  return findings;
}

Result<void> ShardReader::verify_rows(const ShardMeta& meta, std::vector<std::string>& findings) {
  TROUPE_TRY(stored, read_meta(database_));
  if (stored.applied != meta.applied || stored.entities != meta.entities)
    findings.push_back(database_.path() + ": its meta row is not what was written");
  TROUPE_TRY(query, database_.statement("SELECT value,due_ms,sum,bucket,entity,kind,sub FROM rows "
                                        "ORDER BY bucket,entity,kind,sub"));
  const StatementGuard guard{*query};
  query->bind();
  std::uint64_t entities = 0;
  for (;;) {
    TROUPE_TRY(found, query->next());
    if (!found) break;
    const auto bucket = static_cast<Bucket>(query->integer(3));
    const auto kind = static_cast<int>(query->integer(5));
    entities += kind == wire::Row::STATE ? 1 : 0;
    const auto sum = row_checksum(bucket, query->blob(4), kind, query->blob(6), query->blob(0),
                                  query->integer(1));
    if (sum != query->integer(2) && findings.size() < findings_max)
      findings.push_back(database_.path() + ": " +
                         name_of(bucket, query->blob(4), kind, query->blob(6)) +
                         " does not match its checksum");
  }
  if (entities != meta.entities)
    findings.push_back(database_.path() + ": it holds " + std::to_string(entities) +
                       " entities, but counts " + std::to_string(meta.entities));
  return {};
}

}  // namespace troupe::runtime
