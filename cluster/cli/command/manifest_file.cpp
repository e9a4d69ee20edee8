#include "cluster/cli/command/manifest_file.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace troupe::cluster {

ManifestFile read_manifest(const CliIo& io, const std::string& file,
                           const std::optional<std::vector<std::string>>& services) {
  ManifestFile result;
  std::error_code ignored;
  if (std::filesystem::is_directory(file, ignored)) {
    result.unreadable = file + " is a folder, not a manifest";
    return result;
  }
  errno = 0;
  std::ifstream stream{file, std::ios::binary};
  const std::string text{std::istreambuf_iterator<char>{stream}, {}};
  if (!stream.is_open() || stream.bad()) {
    result.unreadable = "cannot read " + file + ": " + std::strerror(errno ? errno : EIO);
    return result;
  }
  auto loaded = config::load_manifest(text, file, io.environment, {services});
  if (loaded)
    result.manifest = std::move(*loaded);
  else
    result.problems = std::move(loaded.error());
  return result;
}

std::optional<config::Manifest> load_or_complain(
    const CliIo& io, const std::string& file,
    const std::optional<std::vector<std::string>>& services) {
  ManifestFile result = read_manifest(io, file, services);
  if (!result.unreadable.empty()) {
    *io.err << "troupe: " << result.unreadable << "\n";
  } else if (!result.manifest) {
    for (const auto& problem : result.problems)
      *io.err << harmless_lines(problem.describe()) << "\n";
    *io.err << problem_count(file, result.problems.size()) << "\n";
  }
  return std::move(result.manifest);
}

std::string problem_count(const std::string& file, std::size_t problems) {
  return std::to_string(problems) + (problems == 1 ? " problem in " : " problems in ") + file;
}

}  // namespace troupe::cluster
