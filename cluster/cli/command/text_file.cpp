#include "cluster/cli/command/text_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

namespace troupe::cluster {

tl::expected<std::string, std::string> read_text_file(const std::string& file,
                                                      const std::string& what) {
  std::error_code ignored;
  if (std::filesystem::is_directory(file, ignored))
    return tl::make_unexpected(file + " is a folder, not " + what);
  errno = 0;
  std::ifstream stream{file, std::ios::binary};
  std::string text{std::istreambuf_iterator<char>{stream}, {}};
  if (!stream.is_open() || stream.bad())
    return tl::make_unexpected("cannot read " + file + ": " + std::strerror(errno ? errno : EIO));
  return text;
}

namespace {

bool write_all(int descriptor, const std::string& text) {
  std::size_t written = 0;
  while (written < text.size()) {
    const auto count = ::write(descriptor, text.data() + written, text.size() - written);
    if (count < 0 && errno != EINTR) return false;
    if (count > 0) written += static_cast<std::size_t>(count);
  }
  return ::fsync(descriptor) == 0;
}

bool sync_folder(const std::string& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return false;
  const bool done = ::fsync(descriptor) == 0;
  const int error = errno;
  ::close(descriptor);
  errno = error;
  return done;
}

}  // namespace

std::string write_text_file(const std::string& file, const std::string& text, unsigned mode) {
  const auto why = [&](int error) { return "cannot write " + file + ": " + std::strerror(error); };
  const std::string unfinished = file + ".unfinished";
  ::unlink(unfinished.c_str());  // of a process that was interrupted
  // No moment in which others could read it.
  const int descriptor = ::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor < 0) return why(errno);
  const bool written = write_all(descriptor, text) && ::fchmod(descriptor, mode) == 0;
  int error = errno;
  ::close(descriptor);
  if (written && ::rename(unfinished.c_str(), file.c_str()) == 0) {
    const auto folder = std::filesystem::path{file}.parent_path();
    if (sync_folder(folder.empty() ? "." : folder.string())) return "";
    return why(errno);
  }
  if (written) error = errno;
  ::unlink(unfinished.c_str());
  return why(error);
}

tl::expected<std::string, std::string> read_standard_input() {
  std::string text{std::istreambuf_iterator<char>{std::cin}, {}};
  if (std::cin.bad()) return tl::make_unexpected(std::string{"cannot read standard input"});
  return text;
}

std::string why_not_writable(const std::string& file) {
  std::error_code ignored;
  const bool there = std::filesystem::exists(file, ignored);
  errno = 0;
  const bool opened = std::ofstream{file, std::ios::app}.is_open();
  const int error = errno;
  if (opened && !there) std::filesystem::remove(file, ignored);
  return opened ? "" : "cannot write " + file + ": " + std::strerror(error ? error : EIO);
}

}  // namespace troupe::cluster
