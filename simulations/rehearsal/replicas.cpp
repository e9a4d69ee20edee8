#include "simulations/rehearsal/replicas.hpp"

#include <algorithm>
#include <cstdint>

#include "cluster/hosted.hpp"
#include "cluster/placement.hpp"

namespace troupe::simulations {

config::Manifest founding_manifest(config::Manifest manifest,
                                   const std::set<std::string>& latecomers) {
  std::erase_if(manifest.nodes,
                [&](const config::Node& node) { return latecomers.contains(node.name); });
  return manifest;
}

Voters place_voters(const config::Manifest& manifest, const actors::ServiceRegistry& registry,
                    const cluster::BucketRanges& ranges) {
  Voters voters;
  for (const auto& [name, shards] : cluster::place_services(manifest, registry, ranges)) {
    std::uint32_t shard = 0;
    for (const auto& replicas : shards) {
      auto& nodes = voters[cluster::group_of(name, shard++)];
      for (const auto& replica : replicas) nodes.insert(replica.node);
    }
  }
  std::erase_if(voters, [](const auto& group) { return group.second.empty(); });
  return voters;
}

std::size_t survivable_losses(const Voters& voters) {
  const auto fewest =
      std::ranges::min_element(voters, {}, [](const auto& group) { return group.second.size(); });
  return fewest == voters.end() ? 0 : (fewest->second.size() - 1) / 2;
}

}  // namespace troupe::simulations
