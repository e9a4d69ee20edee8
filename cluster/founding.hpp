// What a new cluster's directory begins with, as the manifest says it. Pure functions.
#pragma once

#include <string>
#include <vector>

#include "actors/service.hpp"
#include "cluster/directory/table.hpp"
#include "config/manifest.hpp"

namespace troupe::cluster {

// The nodes that vote in the directory: of those with the role `control`, by name, the first five,
// three or one; an even number survives no more failures.
std::vector<std::string> control_nodes(const config::Manifest& manifest);

// What a node of the manifest says of itself, and whether it is a control node; state, incarnation
// and version are not set.
DirectoryNode describe_node(const config::Manifest& manifest, const config::Node& node,
                            const actors::ServiceRegistry& registry);

// All of its nodes, joining, and the places of place_shards().
DirectoryTable founding_table(const config::Manifest& manifest,
                              const actors::ServiceRegistry& registry,
                              const std::string& cluster_id);

}  // namespace troupe::cluster
