// Files of zeros, or of what a deleted segment left, that wait to be the WAL of a later segment.
//
// A sync that need not lengthen its file takes half the time, and what lengthens the log's file
// while commands wait is their 99th percentile. So the WALs of deleted segments are kept, a few of
// them; and when a busy log had to begin a segment without one, one is made beside the writer.
//
// take() is the writer's, keep() and make() are the cleaner's; the others may be called by both.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "runtime/platform/disk.hpp"
#include "runtime/result.hpp"

namespace troupe::runtime {

class LogSpares {
 public:
  static constexpr std::size_t kept_max = 4;

  LogSpares(Disk& disk, std::string folder) : disk_(disk), folder_(std::move(folder)) {}

  // "log.spare-3" gives 3; nullopt: not a spare's name.
  static std::optional<std::uint64_t> parse_name(std::string_view name);

  // A file found at the start: kept if it is blank and there is room, else removed.
  Result<void> found(std::uint64_t number);

  // The path of one, which is the caller's from now on; empty: there is none.
  std::string take();

  // Whether there is none and none is being made; then the caller has make() run.
  bool wanted();
  // A file of zeros. A full disk is no error: the log does without.
  Result<void> make(std::uint64_t bytes);

  // Takes over the WAL of a deleted segment, or removes it.
  Result<void> keep(const std::string& wal);

  // While the disk is full none is kept or made; the first call gives their space back.
  Result<void> give_up();
  void allow();

 private:
  std::string path(std::uint64_t number) const;
  std::uint64_t reserve_number();
  Result<void> add(std::uint64_t number);
  Result<void> fill(const std::string& path, std::uint64_t bytes);

  Disk& disk_;
  const std::string folder_;

  std::mutex mutex_;  // guards what follows
  std::set<std::uint64_t> numbers_;
  std::uint64_t next_ = 1;
  bool making_ = false;
  bool given_up_ = false;
};

}  // namespace troupe::runtime
