#include "runtime/platform/os/files/folder_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

#include "runtime/platform/os/files/posix.hpp"

namespace troupe::runtime {
namespace {

class OsFolderLock final : public FolderLock {
 public:
  explicit OsFolderLock(FileDescriptor file) : file_(std::move(file)) {}

 private:
  FileDescriptor file_;
};

std::string holder(int descriptor, const std::string& path) {
  auto text = read_all(descriptor, path);
  // Empty in the instant between the holder's flock and its write.
  if (!text || text->empty()) return "another process";
  while (text->ends_with('\n')) text->pop_back();
  return "process " + *text;
}

}  // namespace

Result<std::unique_ptr<FolderLock>> lock_folder(const std::string& folder) {
  const auto path = folder + "/" + std::string{folder_lock_name};
  TROUPE_TRY(file, open_file(path, O_RDWR | O_CREAT, 0640));
  while (::flock(file.number(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno != EWOULDBLOCK) return disk_error(errno, "lock", path);
    return failed_precondition(
        "FOLDER_IN_USE", "the folder " + folder + " is in use by " + holder(file.number(), path) +
                             "; stop it, or give this node a data folder of its own");
  }
  // The pid only serves the other's message: a full disk must not keep a node from its own folder.
  if (::ftruncate(file.number(), 0) == 0)
    (void)write_all(file.number(), std::to_string(::getpid()) + "\n", path);
  return std::make_unique<OsFolderLock>(std::move(file));
}

}  // namespace troupe::runtime
