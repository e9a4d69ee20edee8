// Looks through the WAL of a log segment for rot, which SQLite cannot tell from a torn tail: it
// takes the frames up to the first bad one and silently forgets the rest.
//
// Every commit is synced before the next one is written. So a bad frame is a torn tail, and no
// loss, only if it belongs to the last transaction that was begun. It is rot if anything proves
// that a later transaction was begun:
//
//   - a frame whose checksum continues that of an intact frame before it that ended a transaction
//     (frames are chained: each one's checksum starts from the one stored in its predecessor), or
//   - a page of rows, behind the last good commit, with a row of a transaction that is not the next
//     one. Rows carry their transaction's number; the caller compares, who knows the last good row.
//
// Neither can be wrong about a healthy file: a transaction that was written in part and failed, or
// was torn, has the number that the next one gets, and nothing continues from it. What no
// one can see is rot in the very last transaction, with nothing behind it.
//
// Format: https://sqlite.org/fileformat2.html section 4.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "runtime/platform/disk.hpp"
#include "runtime/result.hpp"

namespace troupe::runtime {

struct WalScan {
  bool blank = false;            // never written (or its header is all zero): no frames
  std::uint64_t frames = 0;      // good ones, up to the end of the last good transaction
  std::uint64_t used_bytes = 0;  // up to there
  std::uint64_t file_bytes = 0;

  // The first bad frame, from 1, if frames of this WAL follow it; 0: the header.
  std::optional<std::uint64_t> bad_frame;
  // A later transaction continues behind the bad frame: its place, as proof.
  std::optional<std::uint64_t> continued_at;
  // The largest row key in well-formed pages of rows behind the last good transaction, and where.
  std::int64_t newest_row_behind = 0;
  std::uint64_t newest_row_frame = 0;
};

// Reads the whole file. `page_bytes`: of the database. DATA_LOSS / LOG_CORRUPT if the header itself
// is rotten; DISK_IO.
Result<WalScan> scan_wal(Disk& disk, const std::string& path, std::uint32_t page_bytes);

// Makes a WAL read as empty by zeroing its header, durably. Its frames are left as they are.
Result<void> blank_wal(Disk& disk, const std::string& path);

// Whether a WAL has never been written or was blanked.
Result<bool> is_blank_wal(Disk& disk, const std::string& path);

}  // namespace troupe::runtime
