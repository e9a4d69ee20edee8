// A node's part in policies: what its manifest says of services and of the balancer, with what the
// cluster says differently (directory/policies.hpp). When the node's copy of the directory's table
// is newer, the shards here, their supervisors and the gateway go by it at once, without a restart;
// shards that begin later begin with it.
//
// What this version of the program does not know, or its manifest contradicts, is left out and
// complained about once.
//
// Threads: begin() before actors start, take() in one actor, all else from any thread.
#pragma once

#include <memory>
#include <string>

#include "cluster/directory/policies.hpp"
#include "cluster/directory/table.hpp"
#include "cluster/gateway/admission.hpp"
#include "cluster/hosted.hpp"
#include "cluster/node_shards.hpp"
#include "config/manifest.hpp"
#include "runtime/platform/platform.hpp"

namespace troupe::cluster {

// Everything pointed to outlives it.
struct NodePoliciesSpec {
  runtime::Platform* platform = nullptr;
  config::Manifest manifest;
  std::string node;
  const Hosted* hosted = nullptr;
  NodeShards* shards = nullptr;
  std::shared_ptr<Admission> admission = nullptr;  // of calls from clients
};

class NodePolicies {
 public:
  explicit NodePolicies(NodePoliciesSpec spec) : spec_(std::move(spec)) {}

  // These entries are new.
  void take(const DirectoryTable& newer);

  // What this node goes by: of one service, of the balancer, or of all that there is (empty).
  // SHARD_UNKNOWN.
  Result<PolicyReport> report(const DirectoryTable& table, const std::string& of) const;

  // Whether an order leaves what fits together, by this node's manifest. INVALID_ARGUMENT /
  // POLICY_UNSUITABLE.
  Result<void> fits(const DirectoryTable& table, const DirectoryOrder::Policy& order) const;

 private:
  void follow(const DirectoryTable& newer, const std::string& service);
  PolicyReport::Group service_group(const DirectoryTable& table,
                                    const DirectoryService& service) const;

  const NodePoliciesSpec spec_;
};

}  // namespace troupe::cluster
