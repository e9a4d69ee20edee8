#include "config/load.hpp"

#include <algorithm>
#include <tuple>

#include "config/loading/manifest_table.hpp"
#include "config/loading/syntax.hpp"

namespace troupe::config {

tl::expected<Manifest, std::vector<Problem>> load_manifest(std::string_view text,
                                                           const std::string& file,
                                                           const Environment& environment,
                                                           const LoadOptions& options) {
  Parsed parsed = parse_toml(text, file);
  const bool complete = parsed.problems.empty();
  std::vector<Problem> problems = std::move(parsed.problems);

  Manifest manifest =
      read_manifest_table({&parsed.root, file, environment, complete}, options, problems);
  if (problems.empty()) return manifest;
  std::stable_sort(problems.begin(), problems.end(), [](const Problem& a, const Problem& b) {
    return std::tie(a.line, a.column) < std::tie(b.line, b.column);
  });
  return tl::make_unexpected(std::move(problems));
}

}  // namespace troupe::config
