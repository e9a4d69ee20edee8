// The thin layer between the system's calls and Troupe: descriptors that close themselves, and
// errno turned into an Error that names the path.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "runtime/result.hpp"

namespace troupe::runtime {

class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int number) : number_(number) {}
  FileDescriptor(FileDescriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~FileDescriptor();

  int number() const { return number_; }
  explicit operator bool() const { return number_ >= 0; }

 private:
  int number_ = -1;
};

// "No such file or directory" for ENOENT; safe in any thread.
std::string system_message(int error_number);

// Says "cannot VERB PATH: ...". NOT_FOUND, RESOURCE_EXHAUSTED / DISK_FULL or UNAVAILABLE / DISK_IO.
Error disk_error(int error_number, std::string_view verb, const std::string& path);

// The folder that holds `path`: "/a" for "/a/b" and "/a/b/", "." for "b", "/" for "/b" and "/".
std::string parent_folder(std::string_view path);

// Calls like open(2), again when a signal interrupted it, with O_CLOEXEC.
Result<FileDescriptor> open_file(const std::string& path, int flags, unsigned mode = 0);

Result<std::string> read_all(int descriptor, const std::string& path);
Result<void> write_all(int descriptor, std::string_view bytes, const std::string& path);
Result<void> sync_file(int descriptor, const std::string& path);

// Makes the entries of a folder durable.
Result<void> sync_folder(const std::string& folder);

}  // namespace troupe::runtime
