#include "runtime/platform/os/os_disk.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <mutex>

#include "runtime/platform/os/files/folder_lock.hpp"
#include "runtime/platform/os/files/polite_vfs.hpp"
#include "runtime/platform/os/files/posix.hpp"

namespace troupe::runtime {
namespace {

constexpr unsigned file_mode = 0640;
constexpr unsigned folder_mode = 0750;
constexpr std::string_view unfinished_suffix = ".unfinished";

bool belongs_to_disk(std::string_view name) {
  return name == folder_lock_name || name.ends_with(unfinished_suffix);
}

Result<bool> is_folder(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return disk_error(errno, "look at", path);
  return S_ISDIR(status.st_mode);
}

// A process that died between mkdir and sync leaves one entry that is there but not durable: the
// deepest one. So the parent of a folder that exists is synced too; one that we may not read is not
// of our making.
Result<void> sync_existing(const std::string& folder) {
  const auto parent = parent_folder(folder);
  if (::access(parent.c_str(), R_OK | X_OK) != 0) return {};
  return sync_folder(parent);
}

Result<void> make_folders(const std::string& path) {
  if (::mkdir(path.c_str(), folder_mode) == 0) return sync_folder(parent_folder(path));
  const int failure = errno;
  if (failure == EEXIST) {
    TROUPE_TRY(folder, is_folder(path));
    if (!folder) return disk_error(EEXIST, "create the folder", path);
    return sync_existing(path);
  }
  const auto parent = parent_folder(path);
  if (failure != ENOENT || parent == path) return disk_error(failure, "create the folder", path);
  TROUPE_CHECK(make_folders(parent));
  if (::mkdir(path.c_str(), folder_mode) != 0 && errno != EEXIST)
    return disk_error(errno, "create the folder", path);
  return sync_folder(parent);
}

Result<void> fill_and_sync(const std::string& path, std::string_view bytes) {
  TROUPE_TRY(file, open_file(path, O_WRONLY | O_CREAT | O_TRUNC, file_mode));
  TROUPE_CHECK(write_all(file.number(), bytes, path));
  return sync_file(file.number(), path);
}

Result<void> set_size(int descriptor, std::uint64_t bytes, const std::string& path) {
  if (::ftruncate(descriptor, static_cast<off_t>(bytes)) != 0)
    return disk_error(errno, "allocate", path);
  return {};
}

Result<void> allocate_blocks(int descriptor, std::uint64_t bytes, const std::string& path) {
  TROUPE_CHECK(set_size(descriptor, bytes, path));
  if (bytes == 0) return {};
  int failure = 0;
  do {
    failure = ::posix_fallocate(descriptor, 0, static_cast<off_t>(bytes));
  } while (failure == EINTR);
  if (failure != 0) return disk_error(failure, "allocate", path);
  return {};
}

class OsDisk final : public Disk {
 public:
  const char* sqlite_vfs() const override { return polite_vfs(); }

  Result<void> create_folders(const std::string& path) override {
    if (path.empty()) return invalid_argument("cannot create a folder without a name");
    return make_folders(path);
  }

  Result<std::vector<std::string>> list(const std::string& folder) override {
    std::error_code error;
    std::vector<std::string> names;
    std::filesystem::directory_iterator entry{folder, error};
    for (; !error && entry != std::filesystem::directory_iterator{}; entry.increment(error)) {
      auto name = entry->path().filename().string();
      if (!belongs_to_disk(name)) names.push_back(std::move(name));
    }
    if (error) return disk_error(error.value(), "list", folder);
    std::sort(names.begin(), names.end());
    return names;
  }

  Result<bool> exists(const std::string& path) override {
    struct stat status {};
    if (::stat(path.c_str(), &status) == 0) return true;
    if (errno == ENOENT || errno == ENOTDIR) return false;
    return disk_error(errno, "look at", path);
  }

  Result<std::uint64_t> size(const std::string& path) override {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return disk_error(errno, "look at", path);
    return static_cast<std::uint64_t>(status.st_size);
  }

  Result<std::string> read(const std::string& path) override {
    TROUPE_TRY(file, open_file(path, O_RDONLY));
    return read_all(file.number(), path);
  }

  Result<void> write(const std::string& path, std::string_view bytes) override {
    const auto unfinished = path + std::string{unfinished_suffix};
    const std::lock_guard lock{writing_};
    auto done = fill_and_sync(unfinished, bytes);
    if (done && ::rename(unfinished.c_str(), path.c_str()) != 0)
      done = disk_error(errno, "replace", path);
    if (!done) {
      ::unlink(unfinished.c_str());  // gives back its space; the next write() would, too
      return done;
    }
    return sync_folder(parent_folder(path));
  }

  Result<void> allocate(const std::string& path, std::uint64_t bytes) override {
    TROUPE_TRY(before, exists(path));
    TROUPE_TRY(file, open_file(path, O_WRONLY | O_CREAT, file_mode));
    TROUPE_TRY(bytes_before, size(path));
    if (auto done = allocate_blocks(file.number(), bytes, path); !done) {
      // What was allocated on the way to a full disk goes back.
      if (before) {
        (void)set_size(file.number(), bytes_before, path);
      } else {
        ::unlink(path.c_str());
      }
      return done;
    }
    TROUPE_CHECK(sync_file(file.number(), path));
    return sync_folder(parent_folder(path));
  }

  Result<void> remove(const std::string& path) override {
    if (::unlink(path.c_str()) != 0) {
      const bool folder = errno == EISDIR;
      if (folder && ::rmdir(path.c_str()) != 0 && errno != ENOENT)
        return disk_error(errno, "remove", path);
      if (!folder && errno != ENOENT) return disk_error(errno, "remove", path);
    }
    // Also when nothing was there: an earlier remove() may have died before its sync.
    auto synced = sync_folder(parent_folder(path));
    if (!synced && synced.error().code == Code::not_found) return {};
    return synced;
  }

  Result<void> rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0)
      return disk_error(errno, "rename", from + " to " + to);
    const auto from_folder = parent_folder(from);
    const auto to_folder = parent_folder(to);
    TROUPE_CHECK(sync_folder(to_folder));
    if (from_folder == to_folder) return {};
    return sync_folder(from_folder);
  }

  Result<std::unique_ptr<FolderLock>> lock(const std::string& folder) override {
    return lock_folder(folder);
  }

 private:
  std::mutex writing_;  // two writers of one path would share its unfinished file
};

}  // namespace

std::unique_ptr<Disk> make_os_disk() {
  return std::make_unique<OsDisk>();
}

}  // namespace troupe::runtime
