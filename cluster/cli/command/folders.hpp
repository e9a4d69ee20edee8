// Whether `troupe up` may start nodes in the folders that they have.
#pragma once

#include <string>
#include <vector>

#include "cluster/cli/command/cli.hpp"

namespace troupe::cluster {

// Creates the cluster if the folders of all its nodes are on this machine and empty, and says so.
// False after a complaint: a folder is empty where others are not, or they are of two clusters.
// Whose a folder is beyond that, its node finds out.
bool folders_are_ready(const CliIo& io, const CliHooks& hooks, const std::string& file,
                       const config::Manifest& manifest, const std::vector<std::string>& nodes);

// On standard error: what to type for a node of that cluster whose folder is empty.
void say_how_to_join(const CliIo& io, const std::string& file, const std::string& node,
                     const std::string& cluster_id);

}  // namespace troupe::cluster
