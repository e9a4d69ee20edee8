// A cluster of three grows while it works and things go wrong: one or two nodes join, and in some
// seeds shards get more replicas as soon as there are nodes for them; policies change before and
// after. When all is healed every node has its share, every shard as many replicas as its factor
// says, where the directory says, and goes by the policies of the directory.
#include "cluster/directory/table.pb.h"
#include "simulations/models/cluster_manifest.hpp"
#include "simulations/models/cluster_operations.hpp"
#include "simulations/models/ledger_clients.hpp"

namespace troupe::simulations {
namespace {

using namespace std::chrono_literals;

struct Growth {
  NodeNames founders;
  NodeNames joiners;
  std::vector<Duration> joins;  // each so long after the one before
  bool more_replicas = false;   // five in the end

  NodeNames all() const {
    NodeNames names = founders;
    names.insert(names.end(), joiners.begin(), joiners.end());
    return names;
  }
};

Script grow(Operator& at, Growth growth) {
  for (std::size_t i = 0; i < growth.joiners.size(); ++i) {
    co_await at.wait(growth.joins[i]);
    const auto policy = any_policy(at);
    co_await order_anywhere(at, growth.founders, policy);
    co_await join(at, growth.founders, growth.joiners[i]);
  }
  if (growth.more_replicas) {
    cluster::DirectoryOrder order;
    order.mutable_replicate()->set_service(moved_service);
    order.mutable_replicate()->set_factor(5);
    co_await order_anywhere(at, growth.founders, order);
  }
  const auto policy = any_policy(at);
  co_await order_anywhere(at, growth.founders, policy);
  while (at.running()) co_await at.wait(200ms);
  const auto all = growth.all();
  co_await come_to_rest(at, all, false, 120s);
}

SIMULATION(scale_out, "nodes that join get their share while clients work and nodes fail") {
  auto random = sim.random(1);
  Growth growth;
  const auto joiners = random.between(1, 2);
  const ClusterShape shape{.nodes = static_cast<unsigned>(3 + joiners),
                           .replicas = 3,
                           .shards = static_cast<unsigned>(random.between(2, 6))};
  for (const auto& node : node_names(shape))
    (growth.founders.size() < 3 ? growth.founders : growth.joiners).push_back(node);
  for (std::size_t i = 0; i < joiners; ++i)
    growth.joins.push_back(random.between(500, 6'000) * 1ms);
  growth.more_replicas = joiners == 2 && random.between(0, 3) == 0;
  sim.latecomers({growth.joiners.begin(), growth.joiners.end()});
  sim.faults(Faults::everything());
  sim.duration(40s);
  sim.settles_within(150s);
  sim.manifest(cluster_manifest(shape, sim.random()));
  declare_ledger(sim, {.customers = 5, .doubters = 2, .collectors = 2});
  sim.operated([growth](Operator& at) { return grow(at, growth); }, false);
}

}  // namespace
}  // namespace troupe::simulations
