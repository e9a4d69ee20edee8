// A manifest from a file on disk.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cluster/cli/command/io.hpp"
#include "config/load.hpp"

namespace troupe::cluster {

struct ManifestFile {
  std::optional<config::Manifest> manifest;
  std::vector<config::Problem> problems;  // of the manifest; empty if there is one
  std::string unreadable;                 // a sentence, if the file cannot be read at all
};

// Variables come from `io`. Given `services`, the manifest may name no others.
ManifestFile read_manifest(const CliIo& io, const std::string& file,
                           const std::optional<std::vector<std::string>>& services);

// As above, with everything that is wrong on standard error. Nullopt: exit with exit_usage.
std::optional<config::Manifest> load_or_complain(
    const CliIo& io, const std::string& file,
    const std::optional<std::vector<std::string>>& services);

// "n1, n2, n3"
std::string names_of(const config::Manifest& manifest);

// "3 problems in cluster.toml"
std::string problem_count(const std::string& file, std::size_t problems);

}  // namespace troupe::cluster
