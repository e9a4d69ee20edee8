// Data folders as the command line sees them: which ones a command fills, once, and whether `troupe
// up` may start nodes in those that are there.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cluster/cli/command/cli.hpp"

namespace troupe::cluster {

// What the words of `troupe init` and `troupe restore` say.
struct FoldersWanted {
  std::string command;             // that is said again: "troupe init FILE"
  std::string file;                // the manifest
  std::vector<std::string> nodes;  // names; empty: all
  std::string data;                // of the one node, instead of the manifest's; empty: that
};
struct FoldersToFill {
  config::Manifest manifest;       // with that folder
  std::vector<std::string> nodes;  // at least one
};
// Nullopt, complained of: the manifest is wrong, has no such node, or is not of this machine alone.
// Exit with exit_usage.
std::optional<FoldersToFill> folders_to_fill(const CliIo& io, const CliHooks& hooks,
                                             const FoldersWanted& wanted);

// Creates the cluster if the folders of all its nodes are on this machine and empty, and says so.
// False after a complaint: a folder is empty where others are not, or they are of two clusters.
// Whose a folder is beyond that, its node finds out.
bool folders_are_ready(const CliIo& io, const CliHooks& hooks, const std::string& file,
                       const config::Manifest& manifest, const std::vector<std::string>& nodes);

// On standard error: what to type for a node of that cluster whose folder is empty.
void say_how_to_join(const CliIo& io, const std::string& file, const std::string& node,
                     const std::string& cluster_id);

}  // namespace troupe::cluster
