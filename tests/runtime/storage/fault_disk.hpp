// Real files on a disk that can be told to be full or to fail: a Disk and an SQLite VFS over those
// of the operating system.
//
// Space is counted as growth of files, whoever makes them grow; what is removed or shortened gives
// it back. Overwriting costs none.
#pragma once

#include <sqlite3.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "runtime/platform/disk.hpp"

namespace troupe::tests {

struct DiskFaults {
  std::atomic<std::int64_t> space{INT64_MAX / 2};  // bytes by which files may still grow
  std::atomic<bool> syncs_fail{false};
  std::atomic<bool> writes_fail{false};
  std::atomic<bool> reads_fail{false};
  std::atomic<std::uint64_t> syncs{0};   // syncs of files that SQLite asked for
  std::atomic<std::uint64_t> writes{0};  // writes, likewise

  // Takes the bytes from the space there is; false: there is not so much.
  bool take(std::int64_t bytes);
};

class FaultDisk final : public runtime::Disk {
 public:
  FaultDisk();
  ~FaultDisk() override;
  FaultDisk(const FaultDisk&) = delete;
  FaultDisk& operator=(const FaultDisk&) = delete;

  DiskFaults& faults() { return faults_; }

  const char* sqlite_vfs() const override { return name_.c_str(); }
  Result<void> create_folders(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& folder) override;
  Result<bool> exists(const std::string& path) override;
  Result<std::uint64_t> size(const std::string& path) override;
  Result<std::string> read(const std::string& path) override;
  Result<void> write(const std::string& path, std::string_view bytes) override;
  Result<void> allocate(const std::string& path, std::uint64_t bytes) override;
  Result<void> remove(const std::string& path) override;
  Result<void> rename(const std::string& from, const std::string& to) override;
  Result<std::unique_ptr<runtime::FolderLock>> lock(const std::string& folder) override;

 private:
  std::uint64_t size_or_zero(const std::string& path);

  DiskFaults faults_;
  const std::string name_;
  std::unique_ptr<runtime::Disk> disk_;
  sqlite3_vfs vfs_{};
};

}  // namespace troupe::tests
