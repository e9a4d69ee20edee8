#include "runtime/storage/page_checks.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstring>
#include <limits>
#include <new>
#include <optional>
#include <string_view>
#include <type_traits>

#include "runtime/rehearsal/marks.hpp"
#include "runtime/rehearsal/planted.hpp"
#include "runtime/storage/checksum.hpp"
#include "runtime/storage/wal_format.hpp"

namespace troupe::runtime {
namespace {

constexpr int page_bytes_min = 512;  // what is read in smaller pieces are parts of headers
constexpr auto never = std::numeric_limits<sqlite3_int64>::max();

// Names are SQLite's key for a VFS: two that are open at one time must not share one.
std::string next_name() {
  static std::atomic<std::uint64_t> made{0};
  return "troupe-checked-" + std::to_string(++made);
}

std::uint64_t sum_of(const char* page, std::uint32_t page_bytes, std::uint64_t number) {
  return checksum({page, page_bytes - page_sum_bytes}, number);
}

bool is_blank(const char* page, std::uint32_t page_bytes) {
  const std::string_view bytes{page, page_bytes};
  return std::all_of(bytes.begin(), bytes.end(), [](char byte) { return byte == 0; });
}

}  // namespace

// SQLite's pointer to the methods of a file leads here.
struct PageChecks::Extra {
  sqlite3_io_methods ours;
  const sqlite3_io_methods* below;
  PageChecks* owner;
  bool is_wal;
  std::optional<bool> big_endian =
      std::nullopt;           // words of the log's sums, once they were looked up
  sqlite3_int64 header = -1;  // where a frame's header was written last
  sqlite3_int64 end = 0;      // of the last frame that was written
  // A transaction that is larger than the cache writes pages into frames a second time. The sums
  // from there on do not follow from each other until it commits, when SQLite renews their headers.
  sqlite3_int64 rewritten_from = never;
};

PageChecks::PageChecks(const char* below, std::uint32_t page_bytes)
    : page_bytes_(page_bytes),
      name_(next_name()),
      below_(sqlite3_vfs_find(below)),
      page_(page_bytes, '\0') {
  static_assert(std::is_standard_layout_v<Vfs> && std::is_standard_layout_v<Extra>);
  if (below_ == nullptr) return;
  constexpr int align = alignof(Extra);
  vfs_.base = *below_;
  vfs_.base.pNext = nullptr;
  vfs_.base.zName = name_.c_str();
  vfs_.base.szOsFile =
      (below_->szOsFile + align - 1) / align * align + static_cast<int>(sizeof(Extra));
  vfs_.base.xOpen = open;
  vfs_.owner = this;
}

PageChecks::Registered::Registered(PageChecks& checks) : checks_(checks) {
  if (checks_.below_ != nullptr) sqlite3_vfs_register(&checks_.vfs_.base, 0);
}

PageChecks::Registered::~Registered() {
  if (checks_.below_ != nullptr) sqlite3_vfs_unregister(&checks_.vfs_.base);
}

void PageChecks::seal(std::string& file, std::uint32_t page_bytes) {
  for (std::size_t at = 0; at + page_bytes <= file.size(); at += page_bytes) {
    const std::uint64_t sum = sum_of(file.data() + at, page_bytes, at / page_bytes + 1);
    std::memcpy(file.data() + at + page_bytes - page_sum_bytes, &sum, sizeof(sum));
  }
}

PageChecks::Extra& PageChecks::extra_of(sqlite3_file* file) {
  return *reinterpret_cast<Extra*>(const_cast<sqlite3_io_methods*>(file->pMethods));
}

int PageChecks::open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out) {
  PageChecks& self = *reinterpret_cast<Vfs*>(vfs)->owner;
  const int code = self.below_->xOpen(self.below_, name, file, flags, out);
  const bool is_wal = (flags & SQLITE_OPEN_WAL) != 0;
  if (code != SQLITE_OK || file->pMethods == nullptr ||
      (!is_wal && (flags & SQLITE_OPEN_MAIN_DB) == 0))
    return code;
  auto* place = reinterpret_cast<std::byte*>(file) + vfs->szOsFile - sizeof(Extra);
  auto* extra = new (place)
      Extra{.ours = *file->pMethods, .below = file->pMethods, .owner = &self, .is_wal = is_wal};
  extra->ours.iVersion = std::min(extra->ours.iVersion, 2);  // no memory of the file's own
  extra->ours.xRead = read;
  extra->ours.xWrite = write;
  file->pMethods = &extra->ours;
  return code;
}

bool PageChecks::is_page(int size, sqlite3_int64 offset) const {
  return size == static_cast<int>(page_bytes_) && offset % page_bytes_ == 0;
}

int PageChecks::read(sqlite3_file* file, void* bytes, int size, sqlite3_int64 offset) {
  Extra& extra = extra_of(file);
  PageChecks& self = *extra.owner;
  const int code = extra.below->xRead(file, bytes, size, offset);
  if (code != SQLITE_OK) return code;
  const auto* page = static_cast<const char*>(bytes);
  if (extra.is_wal)
    return size == static_cast<int>(self.page_bytes_) ? self.check_frame(extra, file, page, offset)
                                                      : code;
  if (self.is_page(size, offset)) return self.check_page(page, offset);
  if (size < page_bytes_min) return code;
  return self.refuse("its header does not say that pages have " + std::to_string(self.page_bytes_) +
                     " bytes");
}

int PageChecks::check_page(const char* page, sqlite3_int64 offset) {
  const auto number = static_cast<std::uint64_t>(offset) / page_bytes_ + 1;
  std::uint64_t stored = 0;
  std::memcpy(&stored, page + page_bytes_ - page_sum_bytes, sizeof(stored));
  if (stored == sum_of(page, page_bytes_, number) || is_blank(page, page_bytes_)) return SQLITE_OK;
  TROUPE_SOMETIMES("a rotten page of a shard file was met");
  return refuse("page " + std::to_string(number) + " does not match its checksum");
}

int PageChecks::check_frame(Extra& wal, sqlite3_file* file, const char* page,
                            sqlite3_int64 offset) {
  constexpr auto header_bytes = static_cast<sqlite3_int64>(wal_frame_header_bytes);
  constexpr auto first = static_cast<sqlite3_int64>(wal_header_bytes);
  const sqlite3_int64 frame = offset - header_bytes;
  const sqlite3_int64 frame_bytes = header_bytes + page_bytes_;
  if (frame < first || (frame - first) % frame_bytes != 0 || offset >= wal.rewritten_from)
    return SQLITE_OK;
  char word[4];
  if (!wal.big_endian) {
    if (const int code = wal.below->xRead(file, word, sizeof(word), 0); code != SQLITE_OK)
      return code;
    wal.big_endian = (big_endian_32(word) & 1) != 0;
  }
  char header[wal_frame_header_bytes];
  char before[sizeof(WalSum)];
  const sqlite3_int64 sum_before =
      frame == first ? static_cast<sqlite3_int64>(wal_header_sum_offset)
                     : frame - frame_bytes + static_cast<sqlite3_int64>(wal_frame_sum_offset);
  if (const int code = wal.below->xRead(file, header, sizeof(header), frame); code != SQLITE_OK)
    return code;
  if (const int code = wal.below->xRead(file, before, sizeof(before), sum_before);
      code != SQLITE_OK)
    return code;
  const WalSum sum = WalSum::parse(before)
                         .add(*wal.big_endian, header, wal_frame_summed_bytes)
                         .add(*wal.big_endian, page, page_bytes_);
  if (sum == WalSum::parse(header + wal_frame_sum_offset)) return SQLITE_OK;
  TROUPE_SOMETIMES("a rotten frame of a shard file's write-ahead log was met");
  return refuse("frame " + std::to_string((frame - first) / frame_bytes + 1) +
                " of its write-ahead log does not match its checksum");
}

void PageChecks::note_log_write(Extra& wal, int size, sqlite3_int64 offset) const {
  constexpr auto header_bytes = static_cast<sqlite3_int64>(wal_frame_header_bytes);
  if (offset == 0) {  // it begins anew
    wal.big_endian.reset();
    wal.header = -1;
    wal.end = 0;
    wal.rewritten_from = never;
  } else if (size == header_bytes) {
    wal.header = offset;
    if (offset + header_bytes + page_bytes_ == wal.end) wal.rewritten_from = never;  // renewed
  } else if (size == static_cast<int>(page_bytes_) && offset == wal.header + header_bytes) {
    if (offset < wal.end) wal.rewritten_from = never;  // the former transaction was rolled back
    wal.end = offset + size;
    wal.header = -1;  // what comes to this place next is a page alone
  } else {
    wal.rewritten_from = std::min(wal.rewritten_from, offset);
  }
}

int PageChecks::refuse(const std::string& what) {
  // Planted: checksums of pages are not looked at.
  if (TROUPE_PLANTED(shard_checksums_ignored)) return SQLITE_OK;
  found_ = what;
  return SQLITE_IOERR_DATA;
}

int PageChecks::write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset) {
  Extra& extra = extra_of(file);
  PageChecks& self = *extra.owner;
  if (extra.is_wal) {
    self.note_log_write(extra, size, offset);
  } else if (self.is_page(size, offset)) {
    std::memcpy(self.page_.data(), bytes, self.page_bytes_);
    const auto number = static_cast<std::uint64_t>(offset) / self.page_bytes_ + 1;
    const std::uint64_t sum = sum_of(self.page_.data(), self.page_bytes_, number);
    std::memcpy(self.page_.data() + self.page_bytes_ - page_sum_bytes, &sum, sizeof(sum));
    bytes = self.page_.data();
  }
  return extra.below->xWrite(file, bytes, size, offset);
}

}  // namespace troupe::runtime
