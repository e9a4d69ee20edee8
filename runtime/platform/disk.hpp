// Files, as one node sees them. SQLite reaches them through the VFS named here; everything else
// that touches a file goes through these methods. They block and may sync: call them from a
// Workers queue or before the node's actors start, never from an actor. Any thread may call.
//
// Errors: NOT_FOUND, RESOURCE_EXHAUSTED with reason DISK_FULL, and otherwise UNAVAILABLE with
// reason DISK_IO; the message names the path.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/result.hpp"

namespace troupe::runtime {

// Held while a process owns a data folder; released by destruction and by the process's death.
class FolderLock {
 public:
  virtual ~FolderLock() = default;
};

class Disk {
 public:
  virtual ~Disk() = default;

  // Name of the SQLite VFS that reaches the same files.
  virtual const char* sqlite_vfs() const = 0;

  // Creates the folder and its parents; the new directory entries are durable on return.
  virtual Result<void> create_folders(const std::string& path) = 0;

  // Names (not paths) inside a folder, sorted.
  virtual Result<std::vector<std::string>> list(const std::string& folder) = 0;

  virtual Result<bool> exists(const std::string& path) = 0;
  virtual Result<std::uint64_t> size(const std::string& path) = 0;
  virtual Result<std::string> read(const std::string& path) = 0;

  // Replaces a small file as a whole: after a crash it holds the old bytes or the new ones.
  virtual Result<void> write(const std::string& path, std::string_view bytes) = 0;

  // Makes a file of that size whose blocks are allocated; used as a reserve for a full disk.
  virtual Result<void> allocate(const std::string& path, std::uint64_t bytes) = 0;

  // Removing what is not there is no error. Durable on return.
  virtual Result<void> remove(const std::string& path) = 0;
  virtual Result<void> rename(const std::string& from, const std::string& to) = 0;

  // FAILED_PRECONDITION with reason FOLDER_IN_USE while another process (or another node of the
  // simulator) holds the folder.
  virtual Result<std::unique_ptr<FolderLock>> lock(const std::string& folder) = 0;
};

}  // namespace troupe::runtime
