// A cluster that follows its balancer: made by hand or drawn from a seed, with groups that carry
// out what is wished in their own time.
#pragma once

#include <doctest/doctest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "cluster/directory/balancer.hpp"
#include "simulations/world/random.hpp"

namespace troupe::cluster::tests {

using simulations::RandomStream;
using State = BalanceNode::State;

RandomStream draw_from(std::uint64_t seed);

// Nodes n1, n2, ... that have been up for an hour and host every service.
void add_nodes(BalanceInput& input, int count);
void add_service(BalanceInput& input, const std::string& service, std::uint32_t shards,
                 std::uint32_t factor);
BalanceNode& node_of(BalanceInput& input, const std::string& name);

struct Drawn {
  int nodes_max = 12;
  bool zones = true;
  bool capacities = true;
  bool partial = true;  // nodes that do not host every service
  bool loads = true;
};
// A cluster in which all is placed and led as wished.
BalanceInput drawn_cluster(RandomStream& random, const Drawn& what);

// All shards placed as the balancer says, and all of a plan come true.
void settle(BalanceInput& input);
void apply(BalanceInput& input, const BalancePlan& plan);
void draw_loads(BalanceInput& input, RandomStream& random);

// Weights by node as balancer.hpp describes them.
std::map<std::string, double> replica_counts(const BalanceInput& input);
std::map<std::string, double> leader_counts(const BalanceInput& input);
double spread_of(const std::map<std::string, double>& counts);

// How many replicas and leaders are elsewhere.
struct Moved {
  std::size_t replicas = 0;
  std::size_t leaders = 0;
};
Moved moved(const BalanceInput& before, const BalanceInput& after);

// Runs next_steps() round by round: a group follows its wish one member at a time, adding before it
// removes a live one. Every step is held against what balancer.hpp promises.
class Stage {
 public:
  Stage(BalanceInput input, RandomStream& random) : in(std::move(input)), random_(random) {}

  // One round, a second of it.
  BalancePlan round();
  // Rounds until nothing moves or is asked for. Fails when that takes more than `rounds_max`.
  int run(int rounds_max);
  void down(const std::string& node);
  void up(const std::string& node);

  BalanceInput in;
  std::set<std::string> stuck;  // nodes that no group can add
  std::size_t replicas_moved = 0;
  std::size_t transfers = 0;

 private:
  void check(const BalancePlan& plan);
  void check_places(const BalanceStep& step, const BalanceShard& shard);
  void carry_out(const BalancePlan& plan);
  void follow(BalanceShard& shard);
  void elect(BalanceShard& shard);
  bool lives(const std::string& node) const;

  RandomStream& random_;
};

}  // namespace troupe::cluster::tests
