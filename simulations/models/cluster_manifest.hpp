// Manifests of clusters, for simulations with several nodes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/time.hpp"
#include "simulations/world/random.hpp"

namespace troupe::simulations {

struct ClusterShape {
  unsigned nodes = 3;                   // n1, n2, ...
  unsigned replicas = 3;                // of every shard
  unsigned shards = 0;                  // 0: as the seed's knobs draw them
  std::vector<std::string> zones = {};  // of the nodes, in their order; empty: none has one
  Duration repair_after{0};             // 0: as the manifest has it by default
};

// Three nodes three times in four; of five, each shard is on three or on all.
ClusterShape draw_cluster_shape(RandomStream random);

std::vector<std::string> node_names(const ClusterShape& shape);

// The text of a manifest whose nodes all host the accounts of banking. Logs are cut early, so that
// a node that was away for a few seconds may need a file; the seed's knobs may draw the rest.
std::string cluster_manifest(const ClusterShape& shape, RandomStream random);

}  // namespace troupe::simulations
