// The node's side of `troupe recover`: tells what its replicas hold, and makes some of them the
// only voters of their groups when they are ordered to (replication/raft_group_recovery.cpp says
// why that is sound).
//
// The order comes from whoever can reach the admin address; it names the cluster, its id, this node
// and the state of every replica that it is about. It is refused as a whole while a node that it
// calls lost is linked, and for each group that has a leader or a majority.
//
// Threads: any thread may call anything; answers come on any thread. Everything referred to
// outlives it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cluster/hosted.hpp"
#include "cluster/recovery.pb.h"
#include "cluster/router.hpp"
#include "runtime/platform/platform.hpp"

namespace troupe::cluster {

class RaftExchange;
template <class Message>
struct Gathered;

struct NodeRecoverySpec {
  runtime::Platform* platform = nullptr;
  std::string cluster;
  std::string cluster_id;
  std::string node;
  std::function<std::vector<std::string>()> others;  // nodes
  std::function<std::vector<std::string>()> placed;  // "SERVICE/SHARD" of all shards of the cluster
  RaftExchange* exchange = nullptr;
  const Hosted* hosted = nullptr;
  // The replica of the directory's group; null: none is here.
  std::function<const HostedService*()> directory;
  const Router* router = nullptr;
};

class NodeRecovery {
 public:
  explicit NodeRecovery(NodeRecoverySpec spec);

  void view(std::function<void(Result<RecoveryView>)> answer) const;

  // FAILED_PRECONDITION: RECOVERY_FOREIGN (another cluster or node is meant), LOST_NODE_LIVES.
  // What became of each group is in the report; RECOVERY_REFUSED says why one was left alone.
  void recover(const RecoveryRequest& request, std::function<void(Result<RecoveryReport>)> answer);

 private:
  Result<void> check(const RecoveryRequest& request) const;
  void look_at(const HostedService& service,
               const std::shared_ptr<Gathered<RecoveryView>>& view) const;
  // Null: it does not run here.
  caf::actor find(const std::string& service, std::uint32_t shard) const;

  const NodeRecoverySpec spec_;
  runtime::Counter& recovered_;
};

}  // namespace troupe::cluster
