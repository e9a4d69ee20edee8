// What a node has stored: batches of rows into a shard file, the write-ahead log of a segment, and
// the log of a group. Batches do the same one by one as all at once, and the file is sound; of a
// log whose sums fit nothing is lost, and what does not fit is found.
#include <google/protobuf/stubs/logging.h>
#include <sqlite3.h>

#include <unistd.h>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>

#include "cluster/replication/engine/engine.h"
#include "cluster/replication/group_log.hpp"
#include "cluster/replication/raft_members.hpp"
#include "runtime/platform/os/os_disk.hpp"
#include "runtime/storage/shard_file.hpp"
#include "runtime/storage/wal_format.hpp"
#include "runtime/storage/wal_scan.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace troupe;
using namespace troupe::runtime;
using fuzz::require;

namespace {

// In memory, where there is such a folder; it goes with the process.
const std::string& folder() {
  static const std::string made = [] {
    const auto base = std::filesystem::exists("/dev/shm") ? std::filesystem::path{"/dev/shm"}
                                                          : std::filesystem::temp_directory_path();
    auto name = (base / "troupe-fuzz-XXXXXX").string();
    require(::mkdtemp(name.data()) != nullptr, "a folder can be made");
    return name;
  }();
  return made;
}

Disk& disk() {
  static const auto os = make_os_disk();
  return *os;
}

// --- batches ---

// Lengths of two bytes before each, so that a mutation of one leaves the others.
std::vector<ShardFile::Entry> entries_of(std::string_view bytes) {
  std::vector<ShardFile::Entry> entries;
  while (bytes.size() > 2 && entries.size() < 8) {
    const std::size_t said = static_cast<unsigned char>(bytes[0]) |
                             static_cast<std::size_t>(static_cast<unsigned char>(bytes[1])) << 8;
    bytes.remove_prefix(2);
    const auto batch = bytes.substr(0, said);
    bytes.remove_prefix(batch.size());
    entries.push_back(
        {entries.size() + 1, 1, std::make_shared<const std::string>(std::string{batch})});
  }
  return entries;
}

// Rows have the keys that runtime/wire/batch.proto gives their kinds: a leader made them.
bool sane(const std::vector<ShardFile::Entry>& entries) {
  for (const auto& entry : entries) {
    wire::Batch batch;
    if (!batch.ParseFromString(*entry.payload)) continue;
    for (const auto& row : batch.rows()) {
      if (row.kind() == wire::Row::STATE && !row.sub().empty()) return false;
      if (row.kind() != wire::Row::RANGE) continue;
      if (row.change() != wire::Row::PUT || row.bucket() != 0 || !row.entity().empty() ||
          !row.sub().empty() || !wire::ShardRange{}.ParseFromString(row.value()))
        return false;
    }
  }
  return true;
}

std::unique_ptr<ShardFile> open_shard(const std::string& path, bool create) {
  auto file = ShardFile::open(disk(), path, "a/1", create, {});
  require(file.has_value(), "a shard file opens", file ? "" : file.error().describe());
  return std::move(*file);
}

// All rows of a file that was checkpointed, in order. SQLite alone may not write to it: it knows no
// sums of pages.
std::string rows_of(const std::string& path) {
  sqlite3* database = nullptr;
  sqlite3_stmt* query = nullptr;
  const auto opened = sqlite3_open_v2(("file:" + path + "?immutable=1").c_str(), &database,
                                      SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, nullptr);
  require(opened == SQLITE_OK && sqlite3_prepare_v2(database, "SELECT * FROM rows ORDER BY 1,2,3,4",
                                                    -1, &query, nullptr) == SQLITE_OK,
          "the rows can be read");
  std::string text;
  while (sqlite3_step(query) == SQLITE_ROW) {
    for (int column = 0; column < sqlite3_column_count(query); ++column) {
      const auto* bytes = static_cast<const char*>(sqlite3_column_blob(query, column));
      const auto size = static_cast<std::size_t>(sqlite3_column_bytes(query, column));
      text += std::to_string(size) + ':';
      if (size > 0) text.append(bytes, size);
    }
    text += '\n';
  }
  sqlite3_finalize(query);
  sqlite3_close(database);
  return text;
}

// Everything that can be asked of it; only errors of rot may come of it, where bytes in rows are no
// messages.
void read_all(ShardFile& file, const std::vector<ShardFile::Entry>& entries) {
  for (const auto& entry : entries) {
    wire::Batch batch;
    if (!batch.ParseFromString(*entry.payload)) continue;
    for (const auto& row : batch.rows()) {
      if (row.bucket() >= bucket_count) continue;
      const auto bucket = static_cast<Bucket>(row.bucket());
      const auto fine = [](const auto& result) {
        return result.has_value() || result.error().code == Code::data_loss;
      };
      require(fine(file.load(bucket, row.entity(), 2)), "an entity can be read");
      require(fine(file.reply(bucket, row.entity(), row.sub())), "a reply can be read");
      require(fine(file.events_after(bucket, row.entity(), 0, 3)), "events can be read");
      require(fine(file.events_before(bucket, row.entity(), 0, 3)), "events can be read");
    }
  }
  require(file.due(INT64_MAX, 5).has_value(), "rows that are due can be read");
  const auto findings = file.verify();
  require(findings.has_value() && findings->empty(), "a file that was only written to is sound",
          findings && !findings->empty() ? findings->front() : "");
}

void check_batches(std::string_view bytes) {
  const auto entries = entries_of(bytes);
  if (entries.empty() || !sane(entries)) return;
  const auto one = folder() + "/one.db";
  const auto all = folder() + "/all.db";
  for (const auto& path : {one, all})
    for (const auto* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path + suffix);
  auto file_all = open_shard(all, true);
  const bool taken = file_all->apply(entries).has_value();
  auto file_one = open_shard(one, true);
  bool each = true;
  for (const auto& entry : entries) each = each && file_one->apply({entry}).has_value();
  require(taken == each, "batches are taken all at once if each is taken");
  if (!taken) return require(file_all->applied().index == 0, "what is refused leaves nothing");
  require(file_all->applied() == file_one->applied(), "both files say the same");
  require(file_all->entity_count() == file_one->entity_count(), "both have as many entities");
  read_all(*file_all, entries);
  const auto range = file_all->range();
  const auto count = file_all->entity_count();
  require(file_all->checkpoint().has_value() && file_one->checkpoint().has_value(),
          "a file can be checkpointed");
  file_all.reset();
  file_one.reset();
  require(rows_of(all) == rows_of(one), "both have the same rows");
  const auto again = open_shard(all, false);
  require(again->entity_count() == count, "the count is that of before");
  require((again->range() == nullptr) == (range == nullptr) &&
              (!range || range->SerializeAsString() == again->range()->SerializeAsString()),
          "the range is that of before");
}

// --- a write-ahead log ---

constexpr std::uint32_t page_bytes = 512;

void append_big_endian(std::string& out, std::uint32_t number) {
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(number >> shift & 0xff);
}

// A log of frames, each with sums that fit or with others, as the input says.
void check_wal(FuzzedDataProvider& input) {
  const bool big_endian = input.ConsumeBool();
  const auto salt = input.ConsumeIntegral<std::uint32_t>();
  std::string file;
  append_big_endian(file, wal_magic | (big_endian ? 1 : 0));
  append_big_endian(file, 3'007'000);
  append_big_endian(file, page_bytes);
  append_big_endian(file, 1);
  append_big_endian(file, salt);
  append_big_endian(file, salt);
  auto sum = WalSum{}.add(big_endian, file.data(), file.size());
  append_big_endian(file, sum.first);
  append_big_endian(file, sum.second);
  std::uint64_t number = 0;
  std::uint64_t good = 0;  // up to the end of the last good transaction
  bool broken = false;
  const bool blank = input.ConsumeIntegral<std::uint8_t>() == 1;
  while (input.remaining_bytes() > 0 && number < 12) {
    const auto kind = input.ConsumeIntegral<std::uint8_t>();
    const bool commits = (kind & 1) != 0;
    const bool foreign = (kind & 6) == 6;   // another log's frame
    const bool torn = (kind & 24) == 24;    // its sum does not fit
    const std::size_t content = kind >> 5;  // pages: mostly zeros behind some bytes
    std::string header;
    append_big_endian(header, 1 + input.ConsumeIntegralInRange<std::uint32_t>(0, 3));
    append_big_endian(header, commits ? 3 : 0);
    append_big_endian(header, foreign ? salt + 1 : salt);
    append_big_endian(header, salt);
    auto page = input.ConsumeBytesAsString(content * 8);
    page.resize(page_bytes);
    if ((kind & 6) == 2) page[0] = 0x0d;
    sum = sum.add(big_endian, header.data(), wal_frame_summed_bytes);
    sum = sum.add(big_endian, page.data(), page.size());
    if (torn) sum.first ^= 1;
    append_big_endian(header, sum.first);
    append_big_endian(header, sum.second);
    file += header + page;
    ++number;
    broken = broken || torn || foreign;
    if (!broken && commits) good = number;
  }
  const auto tail = input.ConsumeIntegralInRange<std::size_t>(0, 40);
  file.append(tail, 'x');
  if (blank) std::fill_n(file.begin(), wal_header_bytes, '\0');
  const auto path = folder() + "/log.db-wal";
  std::ofstream{path, std::ios::binary | std::ios::trunc} << file;
  const auto scan = scan_wal(disk(), path, page_bytes);
  require(scan.has_value(), "a log whose header is fine can be read",
          scan ? "" : scan.error().describe());
  require(scan->blank == blank, "a log without a header is blank");
  require(scan->frames == (blank ? 0 : good), "the frames in use are those up to the last commit");
  require(scan->file_bytes == file.size() && scan->used_bytes <= file.size(), "sizes are right");
  if (!broken && !blank)
    require(!scan->bad_frame && !scan->continued_at, "of a good log nothing is bad");
  // Any bytes at all: found out or read, but not more.
  const auto text = input.ConsumeRemainingBytesAsString();
  std::ofstream{path, std::ios::binary | std::ios::trunc} << text;
  const auto any = scan_wal(disk(), path, page_bytes);
  require(any.has_value() || any.error().code == Code::data_loss, "rot is said to be rot");
}

// --- the log of a group ---

class FakeLog final : public NodeLog {
 public:
  void append(Append) override { std::abort(); }
  std::optional<GroupRecord> record(GroupId) const override { return group_record; }
  LogIndex first_index(GroupId) const override { return entries.empty() ? 0 : entries[0].index; }
  LogIndex last_index(GroupId) const override { return entries.empty() ? 0 : last; }
  std::vector<GroupId> groups() const override { return {1}; }
  Result<std::vector<LogEntry>> read(GroupId, LogIndex from, LogIndex to) override {
    std::vector<LogEntry> found;
    for (const auto& entry : entries)
      if (found.size() <= to - from) found.push_back(entry);
    if (found.size() != to - from + 1) return not_found("ENTRIES_CUT", "they are not there");
    return found;
  }
  std::vector<GroupId> laggards(std::size_t) const override { return {}; }
  Stats stats() const override { return {}; }

  std::optional<GroupRecord> group_record;
  std::vector<LogEntry> entries;
  LogIndex last = 0;
};

void check_group_log(FuzzedDataProvider& input) {
  FakeLog log;
  GroupRecord record;
  record.replica = input.ConsumeIntegralInRange<std::uint64_t>(0, 3);
  record.term = input.ConsumeIntegralInRange<std::uint64_t>(0, 9);
  record.vote = input.ConsumeIntegralInRange<std::uint64_t>(0, 2);
  record.snapshot_index = input.ConsumeIntegralInRange<std::uint64_t>(0, 3);
  record.snapshot_term = input.ConsumeIntegralInRange<std::uint64_t>(0, 3);
  record.configuration_index = input.ConsumeIntegralInRange<std::uint64_t>(0, 3);
  const auto count = input.ConsumeIntegralInRange<std::uint64_t>(0, 4);
  for (std::uint64_t i = 0; i < count; ++i) {
    LogEntry entry;
    entry.index = record.snapshot_index + 1 + i + (input.ConsumeIntegral<std::uint8_t>() == 1);
    entry.term = input.ConsumeIntegralInRange<std::uint64_t>(0, 9);
    entry.type = input.ConsumeIntegralInRange<std::uint8_t>(0, 4);
    if (input.ConsumeBool())
      entry.payload = std::make_shared<const std::string>(input.ConsumeRandomLengthString(64));
    log.entries.push_back(std::move(entry));
  }
  log.last = record.snapshot_index + count;
  record.configuration = input.ConsumeRemainingBytesAsString();
  log.group_record = record;
  const auto loaded = cluster::load_group_log(log, 1, 0);
  if (!loaded)
    return require(loaded.error().code == Code::data_loss, "what does not fit is data loss");
  LogIndex index = record.snapshot_index;
  Term term = record.snapshot_term;
  for (const auto& entry : loaded->entries) {
    require(entry.index == ++index && entry.term >= term && entry.term <= record.term,
            "entries follow each other");
    term = entry.term;
    if (entry.type == ENGINE_CHANGE)
      require(!cluster::decode_members(*entry.payload).empty(), "a configuration has members");
  }
  if (record.snapshot_index > 0)
    require(!cluster::decode_members(record.configuration).empty(), "a snapshot has members");
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  google::protobuf::SetLogHandler(nullptr);
  folder();  // before the function below is known, so that it is destroyed after that has run
  std::atexit([] { std::filesystem::remove_all(folder()); });
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider input{data, size};
  switch (input.ConsumeIntegralInRange<int>(0, 3)) {
    case 0:
      check_wal(input);
      break;
    case 1:
      check_group_log(input);
      break;
    default:
      check_batches(input.ConsumeRemainingBytesAsString());
  }
  return 0;
}
