// A cluster of Troupe nodes on this machine, each a process of its own: three, unless more or fewer
// are wanted.
#pragma once

#include <cstdint>
#include <functional>
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
  int nodes = 3;        // three replicas of each shard, or as many as there are nodes
};

class ThreeNodes {
 public:
  // Creates the cluster and waits until every shard serves on every node.
  ThreeNodes(const Options& options, const ThreeNodesOptions& wanted);
  ~ThreeNodes();

  // Of n1, which leads some of the shards; calls to the others cross a link.
  actors::Client& client() { return node_->client(); }
  // The accounts' shards that n1 leads now, in order.
  std::vector<std::uint32_t> led_by_n1() const;

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

// 10,000 accounts of such a cluster, each with money, and loops of callers inside n1.
class Accounts {
 public:
  Accounts(const Options& options, const ThreeNodesOptions& wanted);
  // The processor's time is that of all nodes.
  LoopResult deposits(int callers, double seconds);
  // To accounts of shards that n1, where the callers are, leads. Throws if it leads none within 30
  // seconds, or if that changes meanwhile.
  LoopResult deposits_beside(int callers, double seconds);
  LoopResult gets(int callers, double seconds);
  std::size_t shards_led_by_n1() const { return nodes_.led_by_n1().size(); }
  // Of the node that used most in the loop before, for each call.
  double busiest_us() const { return busiest_us_; }

 private:
  LoopResult loop(int callers, double seconds,
                  const std::function<actors::CallBase(int, std::uint64_t)>& next);
  ThreeNodes nodes_;
  const std::uint32_t shards_;
  double busiest_us_ = 0;
};

}  // namespace troupe::bench
