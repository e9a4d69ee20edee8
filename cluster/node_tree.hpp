// The node's supervision tree: what is started in which order, and how failures escalate.
#pragma once

#include <caf/actor.hpp>
#include <caf/fwd.hpp>
#include <memory>
#include <vector>

#include "actors/shard/splits.hpp"
#include "actors/supervision.hpp"
#include "cluster/hosted.hpp"
#include "cluster/node_servers.hpp"
#include "cluster/router.hpp"

namespace troupe::cluster {

class Mesh;
class NodeAdmin;
class NodeDirectory;
class NodeShards;

// Everything pointed to outlives the actors.
struct NodeTreeSpec {
  runtime::Platform* platform = nullptr;
  std::shared_ptr<actors::SupervisionTree> tree;
  runtime::NodeLog* log = nullptr;
  std::size_t log_segments_max = 8;
  actors::ConsensusFactory consensus;
  Router* router = nullptr;
  Mesh* mesh = nullptr;
  NodeDirectory* directory = nullptr;
  const Hosted* hosted = nullptr;
  NodeShards* shards = nullptr;
  std::shared_ptr<actors::ShardSplits> splits = nullptr;
  NodeServers* servers = nullptr;
  NodeAdmin* admin = nullptr;
  Duration drain{};
};

// Returns the root supervisor. It ends when it is told to, after everything below it, or with the
// failure that no supervisor could handle.
caf::actor spawn_node_tree(caf::actor_system& system, const NodeTreeSpec& spec);

}  // namespace troupe::cluster
