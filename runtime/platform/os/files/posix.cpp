#include "runtime/platform/os/files/posix.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace troupe::runtime {

FileDescriptor::~FileDescriptor() {
  // A failed close() loses nothing that a sync had not already reported; Linux frees the number.
  if (number_ >= 0) ::close(number_);
}

std::string system_message(int error_number) {
  return std::generic_category().message(error_number);
}

Error disk_error(int error_number, std::string_view verb, const std::string& path) {
  std::string message =
      "cannot " + std::string{verb} + " " + path + ": " + system_message(error_number);
  switch (error_number) {
    case ENOENT:
    case ENOTDIR:
      return not_found(std::move(message));
    case ENOSPC:
    case EDQUOT:
      return resource_exhausted("DISK_FULL", message + "; free some space on that file system");
    default:
      return unavailable("DISK_IO", std::move(message));
  }
}

std::string parent_folder(std::string_view path) {
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  const auto slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  path = path.substr(0, slash);
  while (!path.empty() && path.back() == '/') path.remove_suffix(1);
  return path.empty() ? "/" : std::string{path};
}

Result<FileDescriptor> open_file(const std::string& path, int flags, unsigned mode) {
  for (;;) {
    const int number = ::open(path.c_str(), flags | O_CLOEXEC, static_cast<mode_t>(mode));
    if (number >= 0) return FileDescriptor{number};
    if (errno != EINTR) return disk_error(errno, "open", path);
  }
}

Result<std::string> read_all(int descriptor, const std::string& path) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) return disk_error(errno, "read", path);
  std::string bytes;
  std::size_t held = 0;
  // One byte more than the size: the read that finds the end needs no second round.
  bytes.resize(static_cast<std::size_t>(status.st_size) + 1);
  for (;;) {
    if (held == bytes.size()) bytes.resize(bytes.size() * 2);
    const ssize_t count = ::read(descriptor, bytes.data() + held, bytes.size() - held);
    if (count < 0) {
      if (errno == EINTR) continue;
      return disk_error(errno, "read", path);
    }
    if (count == 0) break;
    held += static_cast<std::size_t>(count);
  }
  bytes.resize(held);
  return bytes;
}

Result<void> write_all(int descriptor, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor, bytes.data(), bytes.size());
    if (count < 0) {
      if (errno == EINTR) continue;
      return disk_error(errno, "write", path);
    }
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

Result<void> sync_file(int descriptor, const std::string& path) {
  // Never repeated after a failure: Linux may have dropped the dirty pages and would then say yes.
  if (::fsync(descriptor) != 0) return disk_error(errno, "sync", path);
  return {};
}

Result<void> sync_folder(const std::string& folder) {
  TROUPE_TRY(descriptor, open_file(folder, O_RDONLY | O_DIRECTORY));
  return sync_file(descriptor.number(), folder);
}

}  // namespace troupe::runtime
