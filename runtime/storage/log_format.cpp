#include "runtime/storage/log_format.hpp"

#include <charconv>
#include <cstdio>

#include "runtime/storage/checksum.hpp"

namespace troupe::runtime {
namespace {

constexpr std::string_view segment_prefix = "log-";
constexpr std::string_view suffix = ".db";
constexpr std::string_view wal_suffix = ".db-wal";

}  // namespace

const Schema& log_schema() {
  static const Schema schema{
      "log segment",
      0x54524c47,  // "TRLG"
      {"CREATE TABLE log(key INTEGER PRIMARY KEY, grp INTEGER NOT NULL, type INTEGER NOT NULL, "
       "idx INTEGER NOT NULL, term INTEGER NOT NULL, payload BLOB, sum INTEGER NOT NULL)"}};
  return schema;
}

std::string segment_name(std::uint64_t number) {
  char name[40];
  std::snprintf(name, sizeof(name), "log-%06llu.db", static_cast<unsigned long long>(number));
  return name;
}

std::optional<SegmentFile> parse_segment_name(std::string_view name) {
  SegmentFile file;
  if (!name.starts_with(segment_prefix)) return std::nullopt;
  auto digits = name.substr(segment_prefix.size());
  if (digits.ends_with(wal_suffix)) {
    file.wal = true;
    digits.remove_suffix(wal_suffix.size());
  } else if (digits.ends_with(suffix)) {
    digits.remove_suffix(suffix.size());
  } else {
    return std::nullopt;
  }
  const auto* end = digits.data() + digits.size();
  const auto [rest, error] = std::from_chars(digits.data(), end, file.number);
  if (error != std::errc{} || rest != end || digits.size() < 6 || file.number == 0)
    return std::nullopt;
  return file;
}

std::uint64_t LogRow::checksum() const {
  return checksum_of_numbers(key, group, type, index, term, has_payload,
                             runtime::checksum(payload));
}

wire::StoredGroup to_stored(const GroupRecord& record) {
  wire::StoredGroup stored;
  stored.set_has_record(true);
  stored.set_term(record.term);
  stored.set_vote(record.vote);
  stored.set_replica(record.replica);
  stored.set_snapshot_index(record.snapshot_index);
  stored.set_snapshot_term(record.snapshot_term);
  stored.set_generation(record.generation);
  stored.set_configuration_index(record.configuration_index);
  stored.set_configuration(record.configuration);
  return stored;
}

GroupRecord from_stored(const wire::StoredGroup& stored) {
  GroupRecord record;
  record.term = stored.term();
  record.vote = stored.vote();
  record.replica = stored.replica();
  record.snapshot_index = stored.snapshot_index();
  record.snapshot_term = stored.snapshot_term();
  record.generation = stored.generation();
  record.configuration_index = stored.configuration_index();
  record.configuration = stored.configuration();
  return record;
}

}  // namespace troupe::runtime
