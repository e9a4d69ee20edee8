#include "runtime/storage/wal_scan.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
#include <vector>

#include "runtime/rehearsal/planted.hpp"
#include "runtime/storage/log_format.hpp"
#include "runtime/storage/vfs_file.hpp"
#include "runtime/storage/wal_format.hpp"

namespace troupe::runtime {
namespace {

constexpr std::size_t chunk_frames = 256;
constexpr std::uint32_t wal_version = 3007000;
constexpr unsigned char leaf_of_table = 0x0d;

std::uint16_t big_endian_16(const char* bytes) {
  const auto* at = reinterpret_cast<const unsigned char*>(bytes);
  return static_cast<std::uint16_t>(at[0] << 8 | at[1]);
}

struct Frame {
  std::uint32_t page = 0;
  bool commits = false;
  std::uint64_t salt = 0;
  WalSum stored;

  static Frame parse(const char* bytes) {
    Frame frame;
    frame.page = big_endian_32(bytes);
    frame.commits = big_endian_32(bytes + 4) != 0;
    std::memcpy(&frame.salt, bytes + 8, sizeof(frame.salt));
    frame.stored = WalSum::parse(bytes + wal_frame_sum_offset);
    return frame;
  }
};

// SQLite's variable-length integer; nullopt if it does not end inside `bytes`.
std::optional<std::uint64_t> take_varint(std::string_view& bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 9 && i < bytes.size(); ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    if (i == 8) {
      bytes.remove_prefix(9);
      return value << 8 | byte;
    }
    value = value << 7 | (byte & 0x7f);
    if (byte < 0x80) {
      bytes.remove_prefix(i + 1);
      return value;
    }
  }
  return std::nullopt;
}

// The largest row key of a page that holds rows and makes sense: keys rise, and all is inside it.
std::int64_t newest_row(std::string_view page) {
  constexpr std::size_t page_header_bytes = 8;
  if (static_cast<unsigned char>(page[0]) != leaf_of_table) return 0;
  const std::size_t cells = big_endian_16(page.data() + 3);
  const std::size_t content = page_header_bytes + 2 * cells;
  if (cells == 0 || content >= page.size()) return 0;
  std::int64_t newest = 0;
  for (std::size_t cell = 0; cell < cells; ++cell) {
    const std::size_t at = big_endian_16(page.data() + page_header_bytes + 2 * cell);
    if (at < content || at >= page.size()) return 0;
    auto bytes = page.substr(at);
    const auto size = take_varint(bytes);
    const auto key = size ? take_varint(bytes) : std::nullopt;
    if (!key || static_cast<std::int64_t>(*key) <= newest) return 0;
    newest = static_cast<std::int64_t>(*key);
  }
  return newest;
}

class Scanner {
 public:
  Scanner(const char* header, std::uint32_t page_bytes)
      : page_bytes_(page_bytes), big_endian_((big_endian_32(header) & 1) != 0) {
    std::memcpy(&salt_, header + 16, sizeof(salt_));
    before_.stored = WalSum::parse(header + wal_header_sum_offset);
  }
  // For a blank header: takes no frame for one of this WAL.
  explicit Scanner(std::uint32_t page_bytes) : page_bytes_(page_bytes), blank_(true) {
    broken_ = true;
  }

  void take(const char* bytes) {
    ++number_;
    const auto frame = Frame::parse(bytes);
    const char* page = bytes + wal_frame_header_bytes;
    if (blank_) salt_ = frame.salt;
    const bool ours = frame.salt == salt_;
    const bool linked = ours && continues(bytes, page, frame);
    if (!broken_ && linked) {
      if (frame.commits) result_.frames = number_;
    } else if (!broken_) {
      broken_ = true;
      first_bad_ = number_;
    }
    if (broken_) look_behind(frame, page, ours, linked);
    before_ = frame;
    before_intact_ = linked;
  }

  WalScan result() const { return result_; }

 private:
  bool continues(const char* bytes, const char* page, const Frame& frame) const {
    return before_.stored.add(big_endian_, bytes, wal_frame_summed_bytes)
               .add(big_endian_, page, page_bytes_) == frame.stored;
  }

  void look_behind(const Frame& frame, const char* page, bool ours, bool linked) {
    // Planted: what lies behind a bad frame is no proof of rot.
    if (TROUPE_PLANTED(rot_taken_for_torn_tail)) return;
    const bool behind = number_ > first_bad_;
    if (!blank_ && ours && behind && !result_.bad_frame) result_.bad_frame = first_bad_;
    // A header may be torn as well, and end with what its place held before: a frame ends a
    // transaction only if it is itself what was written.
    if (!blank_ && linked && behind && before_intact_ && before_.commits && !result_.continued_at)
      result_.continued_at = number_;
    // Page 1 holds the schema.
    if (!ours || (blank_ && !linked) || frame.page < 2) return;
    const auto row = newest_row({page, page_bytes_});
    if (row > result_.newest_row_behind) {
      result_.newest_row_behind = row;
      result_.newest_row_frame = number_;
    }
  }

  const std::uint32_t page_bytes_;
  const bool blank_ = false;
  const bool big_endian_ = false;
  std::uint64_t salt_ = 0;
  std::uint64_t number_ = 0;  // of the frame in hand
  Frame before_;
  bool before_intact_ = false;
  bool broken_ = false;
  std::uint64_t first_bad_ = 0;
  WalScan result_;
};

Error rotten_header(const std::string& path, const std::string& what) {
  return data_loss(log_corrupt, path + ": the header of the write-ahead log " + what +
                                    ": it is rotten; restore the node's data folder from a copy, "
                                    "or let the other replicas of its shards rebuild it");
}

bool is_zero(std::string_view bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](char byte) { return byte == 0; });
}

Result<void> check_header(const char* header, const std::string& path, std::uint32_t page_bytes) {
  const auto found = big_endian_32(header);
  if ((found & ~1u) != wal_magic) return rotten_header(path, "does not begin as one does");
  if (WalSum{}.add((found & 1) != 0, header, wal_header_sum_offset) !=
      WalSum::parse(header + wal_header_sum_offset))
    return rotten_header(path, "does not match its checksum");
  if (big_endian_32(header + 4) != wal_version || big_endian_32(header + 8) != page_bytes)
    return rotten_header(path, "has another version or page size");
  return {};
}

}  // namespace

Result<WalScan> scan_wal(Disk& disk, const std::string& path, std::uint32_t page_bytes) {
  TROUPE_TRY(file, VfsFile::open(disk, path));
  TROUPE_TRY(file_bytes, file.size());
  std::array<char, wal_header_bytes> header{};
  TROUPE_TRY(header_read, file.read(0, header.data(), header.size()));
  const bool blank = is_zero({header.data(), header_read});
  if (!blank) TROUPE_CHECK(check_header(header.data(), path, page_bytes));
  Scanner scanner = blank ? Scanner{page_bytes} : Scanner{header.data(), page_bytes};

  const std::size_t frame_bytes = wal_frame_header_bytes + page_bytes;
  std::vector<char> chunk(frame_bytes * chunk_frames);
  for (std::uint64_t offset = wal_header_bytes;;) {
    TROUPE_TRY(there, file.read(offset, chunk.data(), chunk.size()));
    const std::size_t frames = there / frame_bytes;
    for (std::size_t i = 0; i < frames; ++i) scanner.take(chunk.data() + i * frame_bytes);
    if (frames < chunk_frames) break;
    offset += there;
  }
  auto result = scanner.result();
  result.blank = blank;
  result.file_bytes = file_bytes;
  result.used_bytes = blank ? 0 : wal_header_bytes + result.frames * frame_bytes;
  return result;
}

Result<void> blank_wal(Disk& disk, const std::string& path) {
  TROUPE_TRY(file, VfsFile::open(disk, path));
  const std::array<char, wal_header_bytes> zeros{};
  TROUPE_CHECK(file.write(0, {zeros.data(), zeros.size()}));
  return file.sync();
}

Result<bool> is_blank_wal(Disk& disk, const std::string& path) {
  TROUPE_TRY(file, VfsFile::open(disk, path));
  std::array<char, wal_header_bytes> header{};
  TROUPE_TRY(read, file.read(0, header.data(), header.size()));
  return is_zero({header.data(), read});
}

}  // namespace troupe::runtime
