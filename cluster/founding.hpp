// What a new cluster's directory begins with, as the manifest says it. Pure functions.
#pragma once

#include <string>
#include <vector>

#include "actors/service.hpp"
#include "cluster/directory/table.hpp"
#include "cluster/restored.hpp"
#include "config/manifest.hpp"

namespace troupe::cluster {

// The nodes that vote in the directory: of those with the role `control`, by name, the first five,
// three or one; an even number survives no more failures.
std::vector<std::string> control_nodes(const config::Manifest& manifest);

// What a node of the manifest says of itself, and whether it is a control node; state, incarnation
// and version are not set.
DirectoryNode describe_node(const config::Manifest& manifest, const config::Node& node,
                            const actors::ServiceRegistry& registry);

// All of its nodes, joining, and the places of place_shards(). `ranges`: of services whose shards
// had been split in the cluster that this one is made of: what their files hold is of the format of
// splits, so that it is on from the beginning.
DirectoryTable founding_table(const config::Manifest& manifest,
                              const actors::ServiceRegistry& registry,
                              const std::string& cluster_id, const BucketRanges& ranges = {});

}  // namespace troupe::cluster
