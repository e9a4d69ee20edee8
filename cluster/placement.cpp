#include "cluster/placement.hpp"

#include <algorithm>

#include "cluster/directory/balancer.hpp"
#include "cluster/group_of.hpp"
#include "cluster/router.hpp"
#include "runtime/storage/checksum.hpp"

namespace troupe::cluster {
namespace {

BalanceNode balance_node(const config::Node& node, const std::string& service) {
  const auto label = [&](const char* name) {
    const auto found = node.labels.find(name);
    return found == node.labels.end() ? std::string{} : found->second;
  };
  BalanceNode one;
  one.name = node.name;
  one.region = label("region");
  one.zone = label("zone");
  one.services = {service};
  return one;
}

}  // namespace

std::vector<Replicas> place_shards(const config::Manifest& manifest, const std::string& service,
                                   std::uint32_t shards_wanted) {
  config::Service settings = manifest.service(service);
  if (shards_wanted != 0) settings.shards = shards_wanted;
  BalanceInput input;
  for (const config::Node& node : manifest.nodes)
    if (node.hosts(service)) input.nodes.push_back(balance_node(node, service));
  input.now = WallTime{std::chrono::duration_cast<std::chrono::milliseconds>(input.options.settle)};
  for (std::uint32_t shard = 0; shard < settings.shards; ++shard) {
    BalanceShard& one = input.shards.emplace_back();
    one.service = service;
    one.shard = shard;
    one.factor = settings.replication_factor;
  }
  std::vector<Replicas> shards(settings.shards);
  for (const BalanceStep& step : plan_balance(input).steps)
    shards[step.shard] = first_voters(group_of(service, step.shard), step.places);
  return shards;
}

ServicePlaces place_services(const config::Manifest& manifest,
                             const actors::ServiceRegistry& registry, const BucketRanges& ranges) {
  ServicePlaces places;
  for (const actors::Service& service : registry.all()) {
    const auto given = ranges.find(service.type->name);
    places[service.type->name] =
        place_shards(manifest, service.type->name,
                     given == ranges.end() ? 0 : static_cast<std::uint32_t>(given->second.size()));
  }
  return places;
}

std::vector<std::uint32_t> first_buckets_of(const std::string& service, std::size_t shards,
                                            const BucketRanges& ranges) {
  if (const auto given = ranges.find(service); given != ranges.end()) return given->second;
  std::vector<std::uint32_t> first_buckets;
  const auto count = static_cast<std::uint32_t>(shards);
  for (std::uint32_t shard = 0; shard < count; ++shard)
    first_buckets.push_back(first_bucket_of(shard, count));
  return first_buckets;
}

std::uint64_t checksum_of(const std::vector<Replicas>& shards) {
  std::string text;
  for (const Replicas& replicas : shards) {
    std::vector<std::string> nodes;
    for (const RaftVoter& one : replicas) nodes.push_back(one.node);
    std::ranges::sort(nodes);
    for (const std::string& node : nodes) text += node + '\0';
    text += '\0';
  }
  return std::max<std::uint64_t>(runtime::checksum(text), 1);
}

}  // namespace troupe::cluster
