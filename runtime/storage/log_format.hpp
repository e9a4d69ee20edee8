// Names of the node log's files and the shape of its rows.
//
//   log-000001.db      the segment's database: an empty table, the same bytes in every segment and
//                      never changed, because the log is never checkpointed
//   log-000001.db-wal  all its rows, as frames that SQLite checksums; preallocated with zeros,
//                      because a sync that need not lengthen the file takes half the time
//   log.spare-1        a blank WAL for a later segment, see log_spares.hpp
//   log.reserve        space given up when the disk is full
//
// A row's key is its transaction (from 1, one up with each commit, through all segments) and its
// number inside it. Both tell a torn tail from rot: see wal_scan.hpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/storage/ids.hpp"
#include "runtime/storage/node_log.hpp"
#include "runtime/storage/schema.hpp"
#include "runtime/wire/log.pb.h"

namespace troupe::runtime {

inline constexpr char log_corrupt[] = "LOG_CORRUPT";
inline constexpr char log_reserve_name[] = "log.reserve";

const Schema& log_schema();

std::string segment_name(std::uint64_t number);  // "log-000001.db"

struct SegmentFile {
  std::uint64_t number = 0;
  bool wal = false;
};
// Nullopt: not a segment's file.
std::optional<SegmentFile> parse_segment_name(std::string_view name);

// Type of a row: that of an entry (0 and up) or one of these.
inline constexpr int segment_row = -2;
inline constexpr int group_row = -1;

inline constexpr int row_bits = 20;  // rows in one transaction: about a million
inline constexpr std::uint64_t rows_max = 1ull << row_bits;

constexpr std::int64_t row_key(std::uint64_t transaction, std::uint64_t number) {
  return static_cast<std::int64_t>(transaction << row_bits | number);
}
constexpr std::uint64_t transaction_of(std::int64_t key) {
  return static_cast<std::uint64_t>(key) >> row_bits;
}

struct LogRow {
  std::int64_t key = 0;
  GroupId group = 0;
  int type = 0;
  LogIndex index = 0;
  Term term = 0;
  bool has_payload = false;
  std::string_view payload;

  std::uint64_t checksum() const;
};

wire::StoredGroup to_stored(const GroupRecord& record);
GroupRecord from_stored(const wire::StoredGroup& stored);

}  // namespace troupe::runtime
