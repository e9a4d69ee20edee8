#include "cluster/founding.hpp"

#include <algorithm>

#include "cluster/directory/describe.hpp"
#include "cluster/directory/formats.hpp"
#include "cluster/placement.hpp"

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
                              const std::string& cluster_id, const BucketRanges& ranges) {
  DirectoryTable table;
  table.set_cluster_id(cluster_id);
  for (const config::Node& node : manifest.nodes) {
    DirectoryNode said = describe_node(manifest, node, registry);
    said.set_state(DirectoryNode::JOINING);
    put(table, std::move(said));
  }
  const ServicePlaces all = place_services(manifest, registry, ranges);
  for (const actors::Service& service : registry.all()) {
    const std::string& name = service.type->name;
    const std::vector<Replicas>& places = all.at(name);
    if (places.empty() || places.front().empty()) continue;
    DirectoryService one;
    one.set_service(name);
    one.set_factor(static_cast<std::uint32_t>(places.front().size()));
    for (const std::uint32_t bucket : first_buckets_of(name, places.size(), ranges))
      one.add_first_bucket(bucket);
    for (std::uint32_t shard = 0; shard < places.size(); ++shard) {
      DirectoryShard& where = *table.add_shards();
      where.set_service(name);
      where.set_shard(shard);
      for (const RaftVoter& place : places[shard]) where.add_nodes(place.node);
    }
    put(table, std::move(one));
  }
  if (!ranges.empty()) table.add_formats()->set_name(split_format);
  return table;
}

}  // namespace troupe::cluster
