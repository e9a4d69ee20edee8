// What a node hosts: the services that its binary has and its manifest wants here, with those of
// their shards that have a replica here.
#pragma once

#include <memory>
#include <vector>

#include "actors/shard/shard.hpp"
#include "cluster/placement.hpp"
#include "config/manifest.hpp"

namespace troupe::cluster {

struct HostedShard {
  actors::ShardSpec spec;
  std::shared_ptr<runtime::WorkQueue> queue;
  std::shared_ptr<actors::ShardVitals> vitals;
};

struct HostedService {
  const actors::Service* service = nullptr;
  config::Service settings;
  std::vector<HostedShard> shards;
};

// One number per shard of a service, the same on every start: XXH3-64 of "service/shard", never 0,
// which is the directory's.
runtime::GroupId group_of(const std::string& service, std::uint32_t shard);

// In the order of the registry, all of which has its places. `folder` is where shard files lie.
std::vector<HostedService> hosted_services(runtime::Platform& platform,
                                           const config::Manifest& manifest,
                                           const config::Node& node,
                                           const actors::ServiceRegistry& registry,
                                           const Places& places, const std::string& folder);

}  // namespace troupe::cluster
