#include "cluster/placement.hpp"

#include <algorithm>
#include <map>
#include <tuple>

#include "cluster/group_of.hpp"
#include "runtime/storage/checksum.hpp"

namespace troupe::cluster {
namespace {

struct Host {
  std::string node;
  std::string zone;
  std::size_t rank = 0;      // decides between equals; another one for each service
  std::size_t replicas = 0;  // placed so far
  std::size_t firsts = 0;
};

std::string zone_of(const config::Node& node) {
  const auto label = [&](const char* name) {
    const auto found = node.labels.find(name);
    return found == node.labels.end() ? std::string{} : found->second;
  };
  const std::string region = label("region");
  const std::string zone = label("zone");
  // No label holds a zero byte.
  if (region.empty() && zone.empty()) return '\0' + node.name;
  return region + '\0' + zone;
}

std::vector<Host> hosts_of(const config::Manifest& manifest, const std::string& service) {
  std::vector<Host> hosts;
  for (const config::Node& node : manifest.nodes)
    if (node.hosts(service)) hosts.push_back({node.name, zone_of(node)});
  std::ranges::sort(hosts, {}, &Host::node);
  // Services begin at different nodes, so that what does not divide evenly does not add up.
  const std::uint64_t begin = runtime::checksum(service);
  for (std::size_t i = 0; i < hosts.size(); ++i)
    hosts[i].rank = (i + hosts.size() - begin % hosts.size()) % hosts.size();
  return hosts;
}

std::vector<Host*> choose(std::vector<Host>& hosts, std::size_t replicas) {
  std::vector<Host*> chosen;
  std::map<std::string, std::size_t> in_zone;
  while (chosen.size() < replicas) {
    Host* best = nullptr;
    const auto merit = [&](const Host& host) {
      return std::tuple{in_zone[host.zone], host.replicas, host.rank};
    };
    for (Host& host : hosts) {
      if (std::ranges::find(chosen, &host) != chosen.end()) continue;
      if (!best || merit(host) < merit(*best)) best = &host;
    }
    ++best->replicas;
    ++in_zone[best->zone];
    chosen.push_back(best);
  }
  std::ranges::sort(chosen, {}, [](const Host* host) {
    return std::tuple{host->firsts, host->rank};
  });
  if (!chosen.empty()) ++chosen.front()->firsts;
  return chosen;
}

}  // namespace

std::vector<Replicas> place_shards(const config::Manifest& manifest, const std::string& service) {
  const config::Service settings = manifest.service(service);
  std::vector<Host> hosts = hosts_of(manifest, service);
  const std::size_t factor = std::min<std::size_t>(settings.replication_factor, hosts.size());
  std::vector<Replicas> shards(settings.shards);
  for (std::uint32_t shard = 0; shard < settings.shards; ++shard) {
    std::vector<std::string> nodes;
    for (const Host* host : choose(hosts, factor)) nodes.push_back(host->node);
    shards[shard] = first_voters(group_of(service, shard), nodes);
  }
  return shards;
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
