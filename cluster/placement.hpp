// Where the replicas of a service's shards are when a cluster begins: the same on every node,
// without asking anybody. Afterwards the directory decides.
//
// - A shard has as many replicas as the service's replication_factor says, at most one on each of
//   the nodes that host the service.
// - Replicas of one shard are in different zones (the labels region and zone together) as far as
//   there are zones; a node without these labels is a zone of its own.
// - Within that, a service's replicas are spread evenly over its nodes, and nearly so the first
// ones
//   of its shards.
// - A service's places depend on its own name, number of shards and factor, and on the names and
//   labels of its nodes: other services, and the order of the file, change nothing.
//
// It is the balancer's plan (directory/balancer.hpp) for a cluster that has this service alone, so
// that the balancer finds nothing to improve in it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "actors/service.hpp"
#include "cluster/replication/raft_group.hpp"
#include "cluster/restored.hpp"
#include "config/manifest.hpp"

namespace troupe::cluster {

// Of one shard; the first is the one that should lead. Raft ids are those of a group that is new:
// a function of group and node, never 0, different within a group. A replica that comes later gets
// an id that the group never had (architecture.md, Identity of replicas), also on the same node.
using Replicas = std::vector<RaftVoter>;

// By number of the shard. Empty lists if no node hosts the service. `shards`: how many there are;
// 0: as the manifest says.
std::vector<Replicas> place_shards(const config::Manifest& manifest, const std::string& service,
                                   std::uint32_t shards = 0);

// Of every service of the registry, by its name.
using ServicePlaces = std::map<std::string, std::vector<Replicas>>;
ServicePlaces place_services(const config::Manifest& manifest,
                             const actors::ServiceRegistry& registry,
                             const BucketRanges& ranges = {});

// The first bucket of each shard of a service that has so many in the beginning.
std::vector<std::uint32_t> first_buckets_of(const std::string& service, std::size_t shards,
                                            const BucketRanges& ranges);

// The same for the same nodes of every shard, whichever should lead; never 0.
std::uint64_t checksum_of(const std::vector<Replicas>& shards);

}  // namespace troupe::cluster
