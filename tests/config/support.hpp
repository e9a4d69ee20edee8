// What the tests of the manifest share.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

#include "config/load.hpp"

namespace troupe::config {

inline Environment environment(std::map<std::string, std::string> variables) {
  return [variables = std::move(variables)](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
}

inline const Environment nothing_set = environment({});

// The smallest manifest that is fine, for tests that add one thing.
inline const std::string smallest = R"([cluster]
name = "test"
[[nodes]]
name = "n1"
mesh = "127.0.0.1:7400"
admin = "127.0.0.1:7480"
)";

inline Manifest load(const std::string& text, const Environment& variables = nothing_set,
                     const LoadOptions& options = {}) {
  auto loaded = load_manifest(text, "m.toml", variables, options);
  std::string problems;
  if (!loaded)
    for (const auto& problem : loaded.error()) problems += problem.describe() + "\n";
  REQUIRE_MESSAGE(loaded.has_value(), problems);
  return *loaded;
}

// All problems as `troupe check` prints them; empty if there are none.
inline std::string problems(const std::string& text, const Environment& variables = nothing_set,
                            const LoadOptions& options = {}) {
  std::string printed;
  const auto loaded = load_manifest(text, "m.toml", variables, options);
  if (!loaded)
    for (const auto& problem : loaded.error()) printed += problem.describe() + "\n";
  return printed;
}

inline std::string read_source(const std::string& path) {
  std::ifstream file{std::string{TROUPE_SOURCE_FOLDER} + "/" + path};
  REQUIRE_MESSAGE(file.good(), path);
  return {std::istreambuf_iterator<char>{file}, {}};
}

}  // namespace troupe::config
