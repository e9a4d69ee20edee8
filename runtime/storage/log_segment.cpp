#include "runtime/storage/log_segment.hpp"

#include <algorithm>

#include "runtime/rehearsal/planted.hpp"
#include "runtime/storage/vfs_file.hpp"

namespace troupe::runtime {
namespace {

constexpr std::uint64_t wal_bytes_at_first = 64 << 10;
constexpr std::uint64_t growth_bytes_min = 128 << 10;
constexpr std::uint64_t growth_bytes_max = 1 << 20;
constexpr std::size_t entries_per_turn = 256;

// In the database's header: the file change counter, and the version of SQLite that counted last.
// See https://sqlite.org/fileformat2.html section 1.3.
void blank_what_may_differ(std::string& image) {
  if (image.size() < 100) return;
  image.replace(24, 4, 4, '\0');
  image.replace(92, 8, 8, '\0');
}

std::uint32_t header_number(const std::string& image, std::size_t offset) {
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < 4; ++i)
    number = number << 8 | static_cast<unsigned char>(image[offset + i]);
  return number;
}

Database::Options database_options() {
  Database::Options options;
  // Planted: the log is not synced.
  options.sync =
      TROUPE_PLANTED(log_without_sync) ? Database::Sync::checkpoints : Database::Sync::every_commit;
  options.cache_bytes = 512 << 10;  // the way to the newest rows; older ones are read once
  options.spill = false;
  options.corrupt_reason = log_corrupt;
  return options;
}

}  // namespace

Segment::Segment(std::uint64_t number, std::string path, std::unique_ptr<Database> database,
                 std::uint64_t used_bytes, std::uint64_t file_bytes)
    : number_(number),
      path_(std::move(path)),
      database_(std::move(database)),
      used_bytes_(used_bytes),
      file_bytes_(file_bytes) {}

Result<std::unique_ptr<Segment>> Segment::create(Disk& disk, const std::string& folder,
                                                 std::uint64_t number, const std::string& spare) {
  const auto path = folder + "/" + segment_name(number);
  const auto wal = path + "-wal";
  TROUPE_TRY(image, new_database(log_schema()));
  // The WAL first: a database without one has lost it.
  if (spare.empty()) {
    TROUPE_CHECK(disk.write(wal, std::string(wal_bytes_at_first, '\0')));
  } else {
    TROUPE_CHECK(disk.rename(spare, wal));
  }
  TROUPE_CHECK(disk.write(path, image));
  return open(disk, folder, number, 0);
}

Result<std::unique_ptr<Segment>> Segment::open(Disk& disk, const std::string& folder,
                                               std::uint64_t number, std::uint64_t wal_bytes) {
  const auto path = folder + "/" + segment_name(number);
  TROUPE_TRY(database, Database::open(disk, path, database_options()));
  TROUPE_TRY(file_bytes, disk.size(path + "-wal"));
  std::unique_ptr<Segment> segment{
      new Segment(number, path, std::move(database), wal_bytes, file_bytes)};
  TROUPE_CHECK(segment->prepare());
  return segment;
}

Result<void> Segment::prepare() {
  TROUPE_TRY(insert, database_->statement("INSERT INTO log VALUES(?1,?2,?3,?4,?5,?6,?7)"));
  TROUPE_TRY(select, database_->statement("SELECT key,idx,term,type,payload,sum FROM log "
                                          "WHERE key>=?1 AND grp=?2 AND type>=0 ORDER BY key"));
  insert_ = insert;
  select_ = select;
  return {};
}

Result<void> Segment::check_database(Disk& disk, const std::string& path) {
  TROUPE_TRY(found, disk.read(path));
  TROUPE_TRY(expected, new_database(log_schema()));
  constexpr std::size_t version_offset = 60;
  constexpr std::size_t application_offset = 68;
  if (found.size() < 100)
    return data_loss(log_corrupt, path + ": only " + std::to_string(found.size()) +
                                      " bytes are left of a log segment");
  TROUPE_CHECK(check_schema(log_schema(), header_number(found, application_offset),
                            header_number(found, version_offset), path, log_corrupt));
  blank_what_may_differ(found);
  blank_what_may_differ(expected);
  if (found == expected) return {};
  const auto size = std::min(found.size(), expected.size());
  const auto place = std::mismatch(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(size),
                                   expected.begin());
  return data_loss(log_corrupt,
                   path + ": rotten at byte " + std::to_string(place.first - found.begin()) +
                       ": a segment's database never changes; put the bytes of another segment's "
                       "database (without -wal) in its place");
}

Result<void> Segment::commit(const std::vector<LogRow>& rows) {
  const std::lock_guard lock{mutex_};
  TROUPE_CHECK(database_->begin());
  for (const LogRow& row : rows) {
    // Planted: of a transaction that several groups share, the last row is not written.
    if (&row == &rows.back() && row.group != rows.front().group &&
        rows.front().type != segment_row && TROUPE_PLANTED(log_loses_second_append))
      continue;
    auto& insert = row.has_payload ? insert_->bind(row.key, row.group, row.type, row.index,
                                                   row.term, row.payload, row.checksum())
                                   : insert_->bind(row.key, row.group, row.type, row.index,
                                                   row.term, nullptr, row.checksum());
    if (auto inserted = insert.run(); !inserted) {
      database_->rollback();
      return inserted;
    }
  }
  TROUPE_CHECK(database_->commit());
  used_bytes_ = database_->wal_bytes();
  file_bytes_ = std::max<std::uint64_t>(file_bytes_, used_bytes_);
  return {};
}

void Segment::preallocate(std::uint64_t limit) {
  if (file_bytes_ - used_bytes_ >= growth_bytes_min / 2 || file_bytes_ >= limit) return;
  const auto growth = std::clamp<std::uint64_t>(used_bytes_, growth_bytes_min, growth_bytes_max);
  const std::lock_guard lock{mutex_};
  sqlite3_file* wal = database_->wal_file();
  // An error is left for the next commit to meet, which knows what to do about it.
  if (!wal || write_zeros(wal, file_bytes_, growth) != SQLITE_OK) return;
  if (wal->pMethods->xSync(wal, SQLITE_SYNC_NORMAL) == SQLITE_OK) file_bytes_ += growth;
}

Error Segment::rotten_row(std::int64_t key, const std::string& what) const {
  return data_loss(log_corrupt, path_ + "-wal: row " + std::to_string(key) + " " + what +
                                    ": the file is rotten; restore the node's data folder from a "
                                    "copy, or let the other replicas of its shards rebuild it");
}

Result<void> Segment::scan(const std::function<Result<void>(const LogRow&)>& take) {
  const std::lock_guard lock{mutex_};
  TROUPE_TRY(query, database_->statement("SELECT key,grp,type,idx,term,payload,sum FROM log "
                                         "ORDER BY key"));
  const StatementGuard guard{*query};
  query->bind();
  for (;;) {
    TROUPE_TRY(found, query->next());
    if (!found) break;
    LogRow row;
    row.key = query->integer(0);
    row.group = static_cast<GroupId>(query->integer(1));
    row.type = static_cast<int>(query->integer(2));
    row.index = static_cast<LogIndex>(query->integer(3));
    row.term = static_cast<Term>(query->integer(4));
    row.has_payload = !query->is_null(5);
    row.payload = query->blob(5);
    if (row.checksum() != static_cast<std::uint64_t>(query->integer(6)))
      return rotten_row(row.key, "does not match its checksum");
    TROUPE_CHECK(take(row));
  }
  sqlite3_db_release_memory(database_->handle());  // what was read will hardly be read again
  return {};
}

Result<void> Segment::read(GroupId group, const GroupIndex::Span& span,
                           std::vector<LogEntry>& entries) {
  auto rest = span;
  for (;;) {
    TROUPE_TRY(more, read_some(group, rest, entries));
    if (!more) return {};
  }
}

Result<bool> Segment::read_some(GroupId group, GroupIndex::Span& span,
                                std::vector<LogEntry>& entries) {
  const std::lock_guard lock{mutex_};
  if (!database_) return not_found("LOG_CUT", path_ + ": the segment has been deleted");
  const StatementGuard guard{*select_};
  select_->bind(span.row, group);
  for (std::size_t taken = 0; taken < entries_per_turn;) {
    TROUPE_TRY(found, select_->next());
    const auto wanted = [&] {
      return "entry " + std::to_string(span.from) + " of group " + std::to_string(group);
    };
    if (!found) return rotten_row(span.row, "is not followed by " + wanted());
    LogRow row;
    row.index = static_cast<LogIndex>(select_->integer(1));
    if (row.index < span.from) continue;
    row.key = select_->integer(0);
    row.group = group;
    row.term = static_cast<Term>(select_->integer(2));
    row.type = static_cast<int>(select_->integer(3));
    row.has_payload = !select_->is_null(4);
    row.payload = select_->blob(4);
    if (row.index != span.from || row.checksum() != static_cast<std::uint64_t>(select_->integer(5)))
      return rotten_row(row.key, "is not " + wanted());
    entries.push_back(
        {row.index, row.term, static_cast<std::uint8_t>(row.type),
         row.has_payload ? std::make_shared<const std::string>(row.payload) : nullptr});
    if (span.from++ == span.to) return false;
    span.row = row.key + 1;
    ++taken;
  }
  return true;
}

void Segment::close() {
  const std::lock_guard lock{mutex_};
  database_.reset();
}

}  // namespace troupe::runtime
