#include "cluster/founding.hpp"

#include <algorithm>

#include "cluster/directory/describe.hpp"
#include "cluster/placement.hpp"
#include "cluster/router.hpp"

namespace troupe::cluster {

std::vector<std::string> control_nodes(const config::Manifest& manifest) {
  std::vector<std::string> names;
  for (const config::Node& node : manifest.nodes)
    if (node.has(config::Role::control)) names.push_back(node.name);
  std::ranges::sort(names);
  names.resize(names.size() >= 5   ? 5
               : names.size() >= 3 ? 3
                                   : std::min<std::size_t>(1, names.size()));
  return names;
}

DirectoryNode describe_node(const config::Manifest& manifest, const config::Node& node,
                            const actors::ServiceRegistry& registry) {
  std::vector<std::string> services;
  for (const actors::Service& service : registry.all()) services.push_back(service.type->name);
  DirectoryNode said = describe_node(node, services);
  const auto control = control_nodes(manifest);
  said.set_control(std::ranges::find(control, node.name) != control.end());
  return said;
}

DirectoryTable founding_table(const config::Manifest& manifest,
                              const actors::ServiceRegistry& registry,
                              const std::string& cluster_id) {
  DirectoryTable table;
  table.set_cluster_id(cluster_id);
  for (const config::Node& node : manifest.nodes) {
    DirectoryNode said = describe_node(manifest, node, registry);
    said.set_state(DirectoryNode::JOINING);
    put(table, std::move(said));
  }
  for (const actors::Service& service : registry.all()) {
    const std::string& name = service.type->name;
    const std::vector<Replicas> places = place_shards(manifest, name);
    if (places.empty() || places.front().empty()) continue;
    DirectoryService one;
    one.set_service(name);
    one.set_factor(static_cast<std::uint32_t>(places.front().size()));
    const auto shards = static_cast<std::uint32_t>(places.size());
    std::uint32_t bucket = 0;
    for (std::uint32_t shard = 0; shard < shards; ++shard) {
      while (shard_of(static_cast<runtime::Bucket>(bucket), shards) < shard) ++bucket;
      one.add_first_bucket(bucket);
      DirectoryShard& where = *table.add_shards();
      where.set_service(name);
      where.set_shard(shard);
      for (const RaftVoter& place : places[shard]) where.add_nodes(place.node);
    }
    put(table, std::move(one));
  }
  return table;
}

}  // namespace troupe::cluster
