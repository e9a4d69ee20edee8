#include "tests/runtime/storage/rig.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <stdexcept>
#include <thread>

namespace troupe::tests {

RigPlatform::RigPlatform() : metrics_(runtime::Metrics::make()) {
  runtime::OsWorkersOptions options;
  options.on_bug = [](const Error& why) {
    std::fprintf(stderr, "%s\n", why.describe().c_str());
    std::abort();
  };
  workers_ = runtime::make_os_workers(std::move(options));
}

RigPlatform::~RigPlatform() = default;

runtime::Network& RigPlatform::network() {
  throw std::logic_error{"storage needs no network"};
}

namespace {

std::set<std::string> names(const std::string& folder) {
  std::set<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator{folder})
    found.insert(entry.path().filename());
  return found;
}

// False: a file went away meanwhile.
bool try_copy(const std::string& from, const std::string& to) {
  const auto before = names(from);
  std::filesystem::remove_all(to);
  std::filesystem::create_directory(to);
  for (const auto& name : before) {
    std::error_code error;
    std::filesystem::copy_file(from + "/" + name, to + "/" + name, error);
    if (error == std::errc::no_such_file_or_directory) return false;
    if (error) throw std::filesystem::filesystem_error{"copy_folder", from + "/" + name, error};
  }
  return names(from) == before;
}

}  // namespace

void copy_folder(const std::string& from, const std::string& to) {
  while (!try_copy(from, to)) std::this_thread::yield();
}

std::string read_file(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  if (!file) throw std::runtime_error{"cannot read " + path};
  return {std::istreambuf_iterator<char>{file}, {}};
}

void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream file{path, std::ios::binary | std::ios::trunc};
  file << bytes;
  if (!file.flush()) throw std::runtime_error{"cannot write " + path};
}

void rot(const std::string& path, std::uint64_t offset) {
  std::fstream file{path, std::ios::binary | std::ios::in | std::ios::out};
  file.seekg(static_cast<std::streamoff>(offset));
  const int byte = file.get();
  if (byte < 0) throw std::runtime_error{path + " has no byte " + std::to_string(offset)};
  file.seekp(static_cast<std::streamoff>(offset));
  file.put(static_cast<char>(~byte));
}

}  // namespace troupe::tests
