// A file next to a database, read and written through the platform's SQLite VFS: the only way to
// write into the middle of a file that the platform has.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/platform/disk.hpp"
#include "runtime/result.hpp"

namespace troupe::runtime {

class VfsFile {
 public:
  // Opens a file that exists. Not for the database itself: closing a second handle of it would drop
  // the process's locks.
  static Result<VfsFile> open(Disk& disk, const std::string& path) {
    return open(disk, path, SQLITE_OPEN_READWRITE);
  }
  static Result<VfsFile> open_to_read(Disk& disk, const std::string& path) {
    return open(disk, path, SQLITE_OPEN_READONLY);
  }
  ~VfsFile();
  VfsFile(VfsFile&& other) noexcept;
  VfsFile& operator=(VfsFile&&) = delete;

  Result<std::uint64_t> size();
  // Fills `out` with as much as there is from `offset`; returns how much.
  Result<std::size_t> read(std::uint64_t offset, char* out, std::size_t size);
  Result<void> write(std::uint64_t offset, std::string_view bytes);
  Result<void> sync();

 private:
  static Result<VfsFile> open(Disk& disk, const std::string& path, int access);
  explicit VfsFile(std::string path) : path_(std::move(path)) {}
  sqlite3_file* file() { return reinterpret_cast<sqlite3_file*>(storage_.data()); }
  Error failure(int code, const char* doing) const;

  std::string path_;
  std::vector<std::uint64_t> storage_;  // the VFS's own object; empty: nothing is open
};

// Zeros from `offset` on, `bytes` of them. The caller syncs.
int write_zeros(sqlite3_file* file, std::uint64_t offset, std::uint64_t bytes);

}  // namespace troupe::runtime
