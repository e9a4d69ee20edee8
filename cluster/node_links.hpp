// What ties a node to the others of its cluster: the mesh, and over it the messages of Raft groups
// and calls of entities. A node that is alone in its manifest has it for those that may join.
//
// Threads: made and connected by the node before its actors start; then any thread. It outlives the
// node's actors, and the router outlives it.
#pragma once

#include <memory>
#include <string>

#include "cluster/mesh/mesh.hpp"
#include "cluster/replication/raft_exchange.hpp"
#include "cluster/router.hpp"
#include "config/manifest.hpp"

namespace troupe::cluster {

class NodeLinks final : RaftTransport {
 public:
  explicit NodeLinks(runtime::Platform& platform)
      : platform_(platform), exchange_(*this, platform.log()) {}

  // Errors are those of Network::listen and load_security, with the address or file.
  Result<void> listen(const config::Manifest& manifest, const config::Node& node,
                      const std::string& cluster_id, Router& router);

  // Null before listen().
  Mesh* mesh() { return mesh_.get(); }
  RaftExchange& exchange() { return exchange_; }
  // Of this process, as the mesh tells it.
  std::uint64_t incarnation() const { return incarnation_; }

 private:
  void send(const std::string& node, RaftTransport::Lane lane, std::string bytes) override;

  runtime::Platform& platform_;
  RaftExchange exchange_;
  std::uint64_t incarnation_ = 0;
  std::unique_ptr<Mesh> mesh_;  // last: its handlers use what is above
};

}  // namespace troupe::cluster
