#include "runtime/storage/vfs_file.hpp"

#include <algorithm>
#include <array>

#include "runtime/storage/sqlite.hpp"

namespace troupe::runtime {
namespace {

// The VFS for Unix takes less than 128 KiB in one write.
constexpr std::uint64_t write_bytes_max = 64 << 10;

}  // namespace

Error VfsFile::failure(int code, const char* doing) const {
  return sqlite_error(code, 0, path_, doing, {}, "DATABASE_CORRUPT");
}

Result<VfsFile> VfsFile::open(Disk& disk, const std::string& path, int access) {
  sqlite3_initialize();
  sqlite3_vfs* vfs = sqlite3_vfs_find(disk.sqlite_vfs());
  if (!vfs) return internal("SQLITE_MISUSE", std::string{"no SQLite VFS "} + disk.sqlite_vfs());
  VfsFile opened{path};
  opened.storage_.resize((static_cast<std::size_t>(vfs->szOsFile) + 7) / 8);
  int flags = 0;
  // As one of the kinds of files that stand for themselves: for a WAL, the VFS for Unix wants to
  // see its database, which may be gone.
  const int code = vfs->xOpen(vfs, opened.path_.c_str(), opened.file(),
                              access | SQLITE_OPEN_SUPER_JOURNAL, &flags);
  if (code != SQLITE_OK) {
    if (!opened.file()->pMethods) opened.storage_.clear();
    return opened.failure(code, "open");
  }
  return opened;
}

VfsFile::VfsFile(VfsFile&& other) noexcept
    : path_(std::move(other.path_)), storage_(std::move(other.storage_)) {
  other.storage_.clear();
}

VfsFile::~VfsFile() {
  if (!storage_.empty() && file()->pMethods) file()->pMethods->xClose(file());
}

Result<std::uint64_t> VfsFile::size() {
  sqlite3_int64 size = 0;
  const int code = file()->pMethods->xFileSize(file(), &size);
  if (code != SQLITE_OK) return failure(code, "look at its size");
  return static_cast<std::uint64_t>(size);
}

Result<std::size_t> VfsFile::read(std::uint64_t offset, char* out, std::size_t size) {
  TROUPE_TRY(there, this->size());
  if (offset >= there) return std::size_t{0};
  const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(size, there - offset));
  const int code = file()->pMethods->xRead(file(), out, static_cast<int>(wanted),
                                           static_cast<sqlite3_int64>(offset));
  if (code != SQLITE_OK) return failure(code, "read");
  return wanted;
}

Result<void> VfsFile::write(std::uint64_t offset, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto piece = bytes.substr(0, write_bytes_max);
    const int code = file()->pMethods->xWrite(file(), piece.data(), static_cast<int>(piece.size()),
                                              static_cast<sqlite3_int64>(offset));
    if (code != SQLITE_OK) return failure(code, "write");
    bytes.remove_prefix(piece.size());
    offset += piece.size();
  }
  return {};
}

Result<void> VfsFile::sync() {
  const int code = file()->pMethods->xSync(file(), SQLITE_SYNC_NORMAL);
  if (code != SQLITE_OK) return failure(code, "sync");
  return {};
}

int write_zeros(sqlite3_file* file, std::uint64_t offset, std::uint64_t bytes) {
  static constexpr std::array<char, write_bytes_max> zeros{};
  while (bytes > 0) {
    const auto piece = std::min(bytes, write_bytes_max);
    const int code = file->pMethods->xWrite(file, zeros.data(), static_cast<int>(piece),
                                            static_cast<sqlite3_int64>(offset));
    if (code != SQLITE_OK) return code;
    offset += piece;
    bytes -= piece;
  }
  return SQLITE_OK;
}

}  // namespace troupe::runtime
