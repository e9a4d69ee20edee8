#include "runtime/storage/log_recovery.hpp"

#include <set>

#include "runtime/rehearsal/marks.hpp"
#include "runtime/storage/log_spares.hpp"
#include "runtime/storage/wal_scan.hpp"

namespace troupe::runtime {
namespace {

Error lost(const std::string& what) {
  return data_loss(log_corrupt, what +
                                    "; restore the node's data folder from a copy, or let the "
                                    "other replicas of its shards rebuild it");
}

class Recovery {
 public:
  Recovery(Platform& platform, const std::string& folder)
      : disk_(platform.disk()), log_(platform.log()), folder_(folder) {}

  Result<RecoveredLog> run() {
    TROUPE_CHECK(look_around());
    for (const auto number : databases_) TROUPE_CHECK(read_segment(number));
    for (const auto& [id, group] : result_.groups) {
      if (!group.index.needs(0)) continue;
      return lost(folder_ + ": entries of group " + std::to_string(id) + " from index " +
                  std::to_string(group.index.first()) + " on are missing: they were in segments " +
                  "before " + segment_name(*databases_.begin()));
    }
    return std::move(result_);
  }

 private:
  std::string path(std::uint64_t number) const { return folder_ + "/" + segment_name(number); }

  // Which files there are, and whether they fit together.
  Result<void> look_around() {
    TROUPE_TRY(names, disk_.list(folder_));
    std::set<std::uint64_t> wals;
    for (const auto& name : names) {
      if (const auto file = parse_segment_name(name))
        (file->wal ? wals : databases_).insert(file->number);
      if (const auto spare = LogSpares::parse_name(name)) result_.spares.push_back(*spare);
    }
    if (!databases_.empty()) {
      auto expected = *databases_.begin();
      for (const auto number : databases_) {
        if (number != expected) return lost(path(expected) + ": this segment is missing");
        if (!wals.contains(number)) return lost(path(number) + "-wal is missing");
        ++expected;
      }
    }
    for (const auto number : wals)
      if (!databases_.contains(number)) TROUPE_CHECK(remove_lone_wal(number));
    return {};
  }

  // A segment's database is the last to be made and the first to be removed.
  Result<void> remove_lone_wal(std::uint64_t number) {
    const bool was_deleted = !databases_.empty() && number < *databases_.begin();
    TROUPE_TRY(blank, is_blank_wal(disk_, path(number) + "-wal"));
    if (!was_deleted && !blank)
      return lost(path(number) + ": this segment's database is missing, its rows are in " +
                  segment_name(number) + "-wal");
    TROUPE_SOMETIMES("what an interrupted making or deletion left of a segment was removed");
    return disk_.remove(path(number) + "-wal");
  }

  Result<void> read_segment(std::uint64_t number) {
    number_ = number;
    TROUPE_CHECK(Segment::check_database(disk_, path(number)));
    TROUPE_TRY(scan, scan_wal(disk_, path(number) + "-wal", log_schema().page_bytes));
    if (scan.continued_at) return rot(scan, *scan.continued_at);
    TROUPE_TRY(segment, Segment::open(disk_, folder_, number, scan.used_bytes));
    const auto newest_before = result_.transaction;
    newest_key_ = 0;
    TROUPE_CHECK(segment->scan([&](const LogRow& row) { return take(row); }));
    const auto newest = newest_key_ == 0 ? newest_before : transaction_of(newest_key_);
    if (transaction_of(scan.newest_row_behind) > newest + 1)
      return rot(scan, scan.newest_row_frame);
    if (newest_key_ == 0) return drop_unfinished(std::move(segment));
    if (groups_to_come_ != 0)
      return lost(path(number) + ": rows of its first transaction are gone");
    if (scan.bad_frame && number == *databases_.rbegin()) {
      TROUPE_SOMETIMES("a torn tail of the log was dropped");
      log_.info("log.torn_tail",
                "the last transaction of a segment was not finished and is dropped",
                {{"file", path(number) + "-wal"}, {"frame", *scan.bad_frame}});
    }
    result_.segments.push_back(std::move(segment));
    return {};
  }

  Error rot(const WalScan& scan, std::uint64_t proof) const {
    TROUPE_SOMETIMES("rot in the log was told from a torn tail");
    const auto bad = scan.bad_frame.value_or(scan.frames + 1);
    return lost(path(number_) + "-wal: frame " + std::to_string(bad) + " is rotten (frame " +
                std::to_string(proof) + " behind it belongs to a later transaction)");
  }

  // The node died while it made the newest segment: its first transaction is not there.
  Result<void> drop_unfinished(std::unique_ptr<Segment> segment) {
    const bool newest = number_ == *databases_.rbegin();
    const bool only = number_ == *databases_.begin();
    if (!newest || (only && number_ != 1))
      return lost(path(number_) + "-wal: all rows of this segment are gone");
    TROUPE_SOMETIMES("a segment whose making was interrupted was dropped");
    segment.reset();
    TROUPE_CHECK(disk_.remove(path(number_)));
    return disk_.remove(path(number_) + "-wal");
  }

  Error bad_row(const LogRow& row, const std::string& what) const {
    return lost(path(number_) + "-wal: row " + std::to_string(row.key) + " " + what);
  }

  Result<void> take(const LogRow& row) {
    TROUPE_CHECK(take_key(row));
    if (row.type == segment_row) return take_segment_row(row);
    LogGroup& group = result_.groups[row.group];
    if (row.type == group_row) return take_group_row(row, group);
    if (!group.takes(row.index))
      return bad_row(row, "is entry " + std::to_string(row.index) + " of group " +
                              std::to_string(row.group) + ", expected was " +
                              std::to_string(group.next()));
    group.index.append(row.index, number_, row.key);
    return {};
  }

  // Keys leave nothing out: the next row of the transaction, or the first of the next.
  Result<void> take_key(const LogRow& row) {
    const bool first = newest_key_ == 0;
    const auto next_transaction = row_key(result_.transaction + 1, 0);
    if (first && row.type != segment_row) return bad_row(row, "is not how a segment begins");
    if (!first && row.key != newest_key_ + 1 && row.key != next_transaction)
      return bad_row(row, "follows row " + std::to_string(newest_key_) + ": some are missing");
    newest_key_ = row.key;
    if (!first) result_.transaction = transaction_of(row.key);
    return {};
  }

  Result<void> take_segment_row(const LogRow& row) {
    wire::StoredSegment stored;
    if (!stored.ParseFromArray(row.payload.data(), static_cast<int>(row.payload.size())) ||
        stored.number() != number_)
      return bad_row(row, "is not this segment's");
    const bool oldest = number_ == *databases_.begin();
    if (!oldest && stored.transaction_before() != result_.transaction)
      return lost(path(number_ - 1) + "-wal: it ends with transaction " +
                  std::to_string(result_.transaction) + ", but once ended with " +
                  std::to_string(stored.transaction_before()));
    if (row.key != row_key(stored.transaction_before() + 1, 0))
      return bad_row(row, "is not the first of transaction " +
                              std::to_string(stored.transaction_before() + 1));
    std::uint64_t known = 0;
    for (const auto& [id, group] : result_.groups) known += group.exists() ? 1 : 0;
    if (!oldest && stored.groups() != known)
      return bad_row(row, "counts " + std::to_string(stored.groups()) +
                              " groups, earlier segments " + "hold " + std::to_string(known));
    result_.transaction = transaction_of(row.key);
    groups_to_come_ = stored.groups();
    return {};
  }

  Result<void> take_group_row(const LogRow& row, LogGroup& group) {
    wire::StoredGroup stored;
    if (!stored.ParseFromArray(row.payload.data(), static_cast<int>(row.payload.size())))
      return bad_row(row, "is not a group's record");
    if (groups_to_come_ > 0) {
      --groups_to_come_;
      const bool oldest = number_ == *databases_.begin();
      if (oldest && stored.last_index() != 0)
        group.index.assume(stored.first_index(), stored.last_index());
      if (group.index.first() != stored.first_index() || group.index.last() != stored.last_index())
        return bad_row(row, "says that group " + std::to_string(row.group) + " has entries " +
                                std::to_string(stored.first_index()) + " to " +
                                std::to_string(stored.last_index()) + ", but earlier segments " +
                                "hold " + std::to_string(group.index.first()) + " to " +
                                std::to_string(group.index.last()));
    }
    if (stored.has_record()) group.set_record(from_stored(stored));
    return {};
  }

  Disk& disk_;
  Logger& log_;
  const std::string& folder_;
  std::set<std::uint64_t> databases_;
  RecoveredLog result_;

  // Of the segment in hand.
  std::uint64_t number_ = 0;
  std::int64_t newest_key_ = 0;
  std::uint64_t groups_to_come_ = 0;
};

}  // namespace

Result<RecoveredLog> recover_log(Platform& platform, const std::string& folder) {
  return Recovery{platform, folder}.run();
}

}  // namespace troupe::runtime
