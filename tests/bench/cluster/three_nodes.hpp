// A cluster of three Troupe nodes on this machine, each a process of its own.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/bench/fixture.hpp"
#include "tests/bench/process.hpp"

namespace troupe::bench {

struct ThreeNodesOptions {
  bool tls = false;     // on the links; plain text is what the yardsticks speak
  int shards = 4;       // of the accounts
  bool callers = true;  // n1 is this process, so that callers may be inside a node
};

class ThreeNodes {
 public:
  // Creates the cluster and waits until every shard serves on every node.
  ThreeNodes(const Options& options, const ThreeNodesOptions& wanted);
  ~ThreeNodes();

  // Of n1, which leads a third of the shards; the other calls cross a link.
  actors::Client& client() { return node_->client(); }

  // Until all groups of the accounts sleep on all nodes. Throws if they do not within 30 s.
  void wait_asleep() const;

  // User and system time of each node since its start; of this process, callers included, for n1.
  std::vector<double> cpu_seconds() const;

 private:
  std::string folder_;
  int shards_ = 0;
  std::vector<std::string> admins_;  // URLs
  std::vector<std::unique_ptr<Server>> servers_;
  std::unique_ptr<BenchNode> node_;
};

}  // namespace troupe::bench
