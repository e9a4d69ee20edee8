#include "cluster/cli/command/manifest_file.hpp"

#include "cluster/cli/command/text_file.hpp"

namespace troupe::cluster {

ManifestFile read_manifest(const CliIo& io, const std::string& file,
                           const std::optional<std::vector<std::string>>& services) {
  ManifestFile result;
  const auto text = read_text_file(file, "a manifest");
  if (!text) {
    result.unreadable = text.error();
    return result;
  }
  auto loaded = config::load_manifest(*text, file, io.environment, {services});
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

std::string names_of(const config::Manifest& manifest) {
  std::string names;
  for (const auto& node : manifest.nodes) names += (names.empty() ? "" : ", ") + node.name;
  return names;
}

std::string problem_count(const std::string& file, std::size_t problems) {
  return std::to_string(problems) + (problems == 1 ? " problem in " : " problems in ") + file;
}

}  // namespace troupe::cluster
