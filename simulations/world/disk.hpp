// The Disk of one life of a node, over the image that outlives it.
//
// A Disk's own methods are durable on return, as its interface says; what SQLite writes is durable
// when SQLite syncs it. Files that are opened through the VFS must be closed before the Disk is
// destroyed; one that is not is a bug and aborts.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "runtime/platform/disk.hpp"
#include "simulations/world/clock.hpp"
#include "simulations/world/disk_image.hpp"
#include "simulations/world/life.hpp"

namespace troupe::simulations {

// What goes wrong with a machine's disk while it runs. All off at first; may be changed at any
// time, and holds from then on. A full disk is DiskImage::quota_bytes, rot is DiskImage::rot().
struct DiskFaults {
  // Chance of an I/O error, in millionths, for every read, write (also of a name), and sync. What
  // was to be written is then not written, what was to be synced stays un-synced.
  std::uint32_t read_errors = 0;
  std::uint32_t write_errors = 0;
  std::uint32_t sync_errors = 0;

  // Chance, in millionths, that a job of the Workers completes late, and by how much at most. The
  // job happens when it completes.
  std::uint32_t slow_jobs = 0;
  Duration slow_by_max{0};

  // The power fails after this many more writes and syncs: the next one and all that follows has
  // no effect, and the node crashes.
  std::optional<std::uint64_t> power_cut_after;
};

class SqliteVfs;

class SimDisk final : public runtime::Disk {
 public:
  SimDisk(std::shared_ptr<Life> life, const SimClock& clock, DiskImage& image, DiskFaults& faults);
  ~SimDisk() override;

  const char* sqlite_vfs() const override;
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

  // --- for the VFS ------------------------------------------------------------------------------
  enum class Call { read, write, sync };
  // Whether this call fails: the life is over, the power is cut, or an error is drawn.
  bool fails(Call call);
  DiskImage& image() { return image_; }
  Life& life() { return *life_; }
  WallTime wall() const { return clock_.wall(); }

 private:
  // A new file of these bytes takes the path's place, durably.
  Result<void> replace(const std::string& path, std::string bytes, std::string_view what);

  std::shared_ptr<Life> life_;
  const SimClock& clock_;
  DiskImage& image_;
  DiskFaults& faults_;
  RandomStream random_;
  std::unique_ptr<SqliteVfs> vfs_;
};

}  // namespace troupe::simulations
