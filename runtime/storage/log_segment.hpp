// One segment of the node log: a database and its WAL. See log_format.hpp for the files.
//
// Threads: any; one at a time, and a reader that waits gets its turn between two commits. read()
// takes the segment for some hundred entries at a time.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "runtime/platform/disk.hpp"
#include "runtime/result.hpp"
#include "runtime/storage/group_index.hpp"
#include "runtime/storage/log_format.hpp"
#include "runtime/storage/sqlite.hpp"

namespace troupe::runtime {

// Two locks, so that whoever waits for the second is not overtaken by who just released it.
class FairMutex {
 public:
  void lock() {
    const std::lock_guard turn{turn_};
    mutex_.lock();
  }
  void unlock() { mutex_.unlock(); }

 private:
  std::mutex turn_;
  std::mutex mutex_;
};

class Segment {
 public:
  // Makes the files and opens them. `spare`: path of a blank WAL to use, or empty.
  static Result<std::unique_ptr<Segment>> create(Disk& disk, const std::string& folder,
                                                 std::uint64_t number, const std::string& spare);

  // Opens files that exist. `wal_bytes`: what a scan found in use.
  static Result<std::unique_ptr<Segment>> open(Disk& disk, const std::string& folder,
                                               std::uint64_t number, std::uint64_t wal_bytes);

  // Checks the database itself, which never changes. DATA_LOSS / LOG_CORRUPT or SCHEMA_TOO_NEW.
  static Result<void> check_database(Disk& disk, const std::string& path);

  std::uint64_t number() const { return number_; }
  const std::string& path() const { return path_; }

  // One transaction, synced on return.
  Result<void> commit(const std::vector<LogRow>& rows);

  // Bytes in use, and bytes of the WAL's file.
  std::uint64_t used_bytes() const { return used_bytes_; }
  std::uint64_t file_bytes() const { return file_bytes_; }

  // Lengthens the WAL by zeros if little of it is left, so that the next syncs need not. Does what
  // the disk allows and no more.
  void preallocate(std::uint64_t limit);

  // Every row in order, until `take` refuses one.
  Result<void> scan(const std::function<Result<void>(const LogRow&)>& take);

  // Appends the entries of a span. NOT_FOUND once the segment is closed.
  Result<void> read(GroupId group, const GroupIndex::Span& span, std::vector<LogEntry>& entries);

  // Ends all use of the files. No commit follows.
  void close();

 private:
  Segment(std::uint64_t number, std::string path, std::unique_ptr<Database> database,
          std::uint64_t used_bytes, std::uint64_t file_bytes);
  Result<void> prepare();
  // Moves the span's beginning forward. True: some of it is left.
  Result<bool> read_some(GroupId group, GroupIndex::Span& span, std::vector<LogEntry>& entries);
  Error rotten_row(std::int64_t key, const std::string& what) const;

  const std::uint64_t number_;
  const std::string path_;

  FairMutex mutex_;  // guards what follows
  std::unique_ptr<Database> database_;
  Statement* insert_ = nullptr;
  Statement* select_ = nullptr;

  // Changed by the writer alone.
  std::atomic<std::uint64_t> used_bytes_;
  std::atomic<std::uint64_t> file_bytes_;
};

}  // namespace troupe::runtime
