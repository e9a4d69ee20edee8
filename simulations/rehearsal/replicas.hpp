// Which nodes of a manifest have which replicas, for what a run promises.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>

#include "actors/service.hpp"
#include "cluster/restored.hpp"
#include "config/manifest.hpp"
#include "runtime/storage/ids.hpp"

namespace troupe::simulations {

// The manifest of a cluster that these nodes come to later.
config::Manifest founding_manifest(config::Manifest manifest,
                                   const std::set<std::string>& latecomers);

// By group: the nodes of its voters.
using Voters = std::map<runtime::GroupId, std::set<std::string>>;

Voters place_voters(const config::Manifest& manifest, const actors::ServiceRegistry& registry,
                    const cluster::BucketRanges& ranges = {});

// So many nodes may lose their data and every group still holds all that was acknowledged.
std::size_t survivable_losses(const Voters& voters);

}  // namespace troupe::simulations
