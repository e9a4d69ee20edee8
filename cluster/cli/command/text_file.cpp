#include "cluster/cli/command/text_file.hpp"

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
