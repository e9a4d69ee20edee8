// The balancer's rules, one after another, by example.
#include <algorithm>

#include "tests/cluster/directory/balance_stage.hpp"

namespace troupe::cluster::tests {
namespace {

using namespace std::chrono_literals;
using Strings = std::vector<std::string>;

BalanceInput cluster_of(int nodes, std::uint32_t shards, std::uint32_t factor) {
  BalanceInput input;
  add_nodes(input, nodes);
  add_service(input, "a.v1.A", shards, factor);
  settle(input);
  return input;
}

bool held_at(const BalancePlan& plan, const std::string& node) {
  return std::ranges::find(plan.held, node, &BalanceHeld::node) != plan.held.end();
}

std::size_t with_reason(const BalancePlan& plan, BalanceReason reason) {
  return static_cast<std::size_t>(std::ranges::count(plan.steps, reason, &BalanceStep::reason));
}

bool has_place(const BalanceShard& shard, const std::string& node) {
  return std::ranges::find(shard.places, node) != shard.places.end();
}

}  // namespace

TEST_CASE("replicas of a dead node are replaced after the repair delay and not before") {
  BalanceInput input = cluster_of(4, 8, 3);
  auto random = draw_from(1);
  Stage stage{input, random};
  stage.down("n2");
  for (int second = 0; second < 299; ++second) CHECK(stage.round().steps.empty());
  CHECK(next_steps(stage.in).waits_for == "n2");
  const BalancePlan plan = stage.round();
  REQUIRE_FALSE(plan.steps.empty());
  for (const BalanceStep& step : plan.steps) {
    CHECK(step.reason == BalanceReason::repair);
    CHECK(step.from == "n2");
  }
  stage.run(300);
  CHECK(left_on_node(stage.in, "n2").nothing());
  for (const BalanceShard& shard : stage.in.shards) CHECK(shard.members.size() == 3);
}

TEST_CASE("nothing moves for the sake of evenness while a node may come back") {
  BalanceInput input = cluster_of(3, 12, 1);
  add_nodes(input, 1);
  CHECK(with_reason(next_steps(input), BalanceReason::replicas) > 0);
  node_of(input, "n2").state = State::down;
  node_of(input, "n2").since = input.now;
  CHECK(next_steps(input).steps.empty());
  CHECK(next_steps(input).waits_for == "n2");
  node_of(input, "n2").state = State::up;
  CHECK(next_steps(input).steps.empty());  // it is not settled
  input.now += 10s;
  CHECK(with_reason(next_steps(input), BalanceReason::replicas) > 0);
}

TEST_CASE("what no other node can take stays where it is, and is said") {
  BalanceInput input = cluster_of(3, 4, 3);
  node_of(input, "n2").state = State::draining;
  const BalancePlan plan = plan_balance(input);
  CHECK(held_at(plan, "n2"));
  for (const BalanceStep& step : plan.steps) CHECK(step.leads);  // only leaders leave
  auto random = draw_from(2);
  Stage stage{input, random};
  stage.run(100);
  CHECK(left_on_node(stage.in, "n2").leaders == 0);
  CHECK(left_on_node(stage.in, "n2").members == 4);

  // A dead node: nothing at all.
  node_of(stage.in, "n2").state = State::down;
  node_of(stage.in, "n2").since = WallTime{};
  CHECK(next_steps(stage.in).steps.empty());
  CHECK(held_at(next_steps(stage.in), "n2"));
}

TEST_CASE("a draining node hands its leaders over before a replica leaves it") {
  auto random = draw_from(3);
  Stage stage{cluster_of(4, 16, 3), random};
  node_of(stage.in, "n1").state = State::draining;
  bool replica_left = false;
  for (int i = 0; i < 300 && !left_on_node(stage.in, "n1").nothing(); ++i) {
    const bool leads = left_on_node(stage.in, "n1").leaders > 0;
    for (const BalanceStep& step : stage.round().steps) {
      replica_left = replica_left || !step.leads;
      if (leads && step.from == "n1") CHECK(step.leads);
    }
  }
  CHECK(replica_left);
  CHECK(left_on_node(stage.in, "n1").nothing());
  stage.run(100);
  CHECK(spread_of(leader_counts(stage.in)) <= 6);  // n1 has none, the others about five
}

TEST_CASE("a shard of one replica leaves a draining node, too") {
  auto random = draw_from(4);
  Stage stage{cluster_of(3, 6, 1), random};
  node_of(stage.in, "n3").state = State::draining;
  stage.run(200);
  CHECK(left_on_node(stage.in, "n3").nothing());
}

TEST_CASE("a node whose move is under way is not empty") {
  BalanceInput input = cluster_of(4, 1, 3);
  BalanceShard& shard = input.shards.front();
  const std::string old = shard.places.back();
  for (const BalanceNode& node : input.nodes)
    if (!has_place(shard, node.name)) shard.places.back() = node.name;
  CHECK(left_on_node(input, old).members == 1);
  CHECK_FALSE(left_on_node(input, old).nothing());
  shard.members.clear();  // no report yet: nobody knows
  CHECK_FALSE(left_on_node(input, old).nothing());
}

TEST_CASE("a cordoned node keeps what it has and gets nothing new") {
  BalanceInput input = cluster_of(3, 12, 1);
  node_of(input, "n1").cordoned = true;
  CHECK(plan_balance(input).steps.empty());
  add_service(input, "a.v1.B", 6, 3);
  settle(input);
  for (const BalanceShard& shard : input.shards)
    if (shard.service == "a.v1.B") CHECK_FALSE(has_place(shard, "n1"));
  CHECK(replica_counts(input)["n1"] == 4);
}

TEST_CASE("a higher factor adds replicas, a lower one removes them") {
  auto random = draw_from(5);
  Stage stage{cluster_of(6, 10, 3), random};
  for (const std::uint32_t factor : {5u, 1u, 3u}) {
    for (BalanceShard& shard : stage.in.shards) shard.factor = factor;
    stage.run(300);
    for (const BalanceShard& shard : stage.in.shards) CHECK(shard.members.size() == factor);
    CHECK(spread_of(replica_counts(stage.in)) <= 1);
  }
}

TEST_CASE("a lower factor takes dead replicas first, and no live one that the majority needs") {
  BalanceInput input = cluster_of(5, 1, 5);
  BalanceShard& shard = input.shards.front();
  node_of(input, shard.places[1]).state = State::down;
  node_of(input, shard.places[1]).since = input.now;
  shard.factor = 3;
  const std::string down = shard.places[1];
  auto random = draw_from(6);
  Stage stage{input, random};
  const BalancePlan plan = stage.round();
  REQUIRE(plan.steps.size() == 1);
  CHECK(plan.steps.front().from == down);
  stage.run(50);
  CHECK(stage.in.shards.front().members.size() == 3);
}

TEST_CASE("one replica too many is no reason to drain the one that the majority needs") {
  BalanceInput input = cluster_of(4, 1, 3);
  BalanceShard& shard = input.shards.front();
  shard.factor = 1;
  node_of(input, shard.places[1]).state = State::down;
  node_of(input, shard.places[1]).since = input.now;
  node_of(input, shard.places[2]).state = State::draining;
  const BalancePlan plan = next_steps(input);
  REQUIRE(plan.steps.size() == 1);
  std::size_t live = 0;
  for (const std::string& node : plan.steps.front().places)
    live += node_of(input, node).state == State::down ? 0 : 1;
  CHECK(live > plan.steps.front().places.size() / 2);
}

TEST_CASE("a move past its deadline is abandoned, and its node is not tried again at once") {
  BalanceInput input = cluster_of(3, 8, 3);
  add_nodes(input, 2);
  auto random = draw_from(7);
  Stage stage{input, random};
  stage.stuck = {"n4"};
  std::map<std::uint32_t, int> tried;
  int abandoned = 0;
  for (int i = 0; i < 15 * 60; ++i)
    for (const BalanceStep& step : stage.round().steps) {
      if (step.to == "n4") CHECK(++tried[step.shard] == 1);
      if (step.to == "n4") CHECK(abandoned <= 1);
      if (step.reason != BalanceReason::abandoned) continue;
      CHECK(step.from == "n4");
      ++abandoned;
    }
  CHECK(abandoned >= 2);
  CHECK(abandoned == static_cast<int>(tried.size()));
  CHECK(replica_counts(stage.in)["n4"] == 0);
  CHECK(replica_counts(stage.in)["n5"] > 0);
  // Once it works, it gets its share.
  stage.stuck.clear();
  for (int i = 0; i < 10 * 60; ++i) stage.round();
  stage.run(300);
  CHECK(spread_of(replica_counts(stage.in)) <= 2);
}

TEST_CASE("a move to a node that drains is abandoned at once") {
  BalanceInput input = cluster_of(3, 2, 3);
  add_nodes(input, 1);
  BalanceShard& shard = input.shards.front();
  const std::string old = shard.places.back();
  shard.places.back() = "n4";
  shard.moving_since = input.now;
  CHECK(with_reason(next_steps(input), BalanceReason::abandoned) == 0);
  node_of(input, "n4").state = State::draining;
  const BalancePlan plan = next_steps(input);
  REQUIRE(with_reason(plan, BalanceReason::abandoned) == 1);
  CHECK(plan.steps.front().from == "n4");
  CHECK(plan.steps.front().to == old);
}

// directory-chaos, seed 846454320705.
TEST_CASE("a node whose drain is taken back gets its share, whatever was on its way to it") {
  BalanceInput input = cluster_of(3, 8, 3);
  add_nodes(input, 1);
  auto random = draw_from(7);
  Stage stage{input, random};
  stage.stuck = {"n4"};
  for (int i = 0; i < 60; ++i) stage.round();
  node_of(stage.in, "n4").state = State::draining;
  int abandoned = 0;
  for (int i = 0; i < 10; ++i) abandoned += with_reason(stage.round(), BalanceReason::abandoned);
  CHECK(abandoned >= 2);
  node_of(stage.in, "n4").state = State::up;
  node_of(stage.in, "n4").since = stage.in.now;
  stage.stuck.clear();
  for (int i = 0; i < 120; ++i) stage.round();
  CHECK(spread_of(replica_counts(stage.in)) <= 2);
}

TEST_CASE("a removal that can no more be done is abandoned, and another one found") {
  BalanceInput input = cluster_of(3, 1, 3);
  BalanceShard& shard = input.shards.front();
  shard.factor = 1;
  const std::string dead = shard.places[1];
  shard.places.pop_back();
  shard.moving_since = input.now;
  node_of(input, dead).state = State::down;
  node_of(input, dead).since = input.now;
  auto random = draw_from(8);
  Stage stage{input, random};  // whose groups keep the member that the majority needs
  stage.run(1000);
  CHECK(stage.in.shards.front().members.size() == 1);
  CHECK(left_on_node(stage.in, dead).nothing());
}

TEST_CASE("a late move of five replicas is not answered with six places") {
  BalanceInput input = cluster_of(6, 1, 5);
  BalanceShard& shard = input.shards.front();
  const auto spare = std::ranges::find_if(input.nodes, [&](const BalanceNode& node) {
    return std::ranges::find(shard.places, node.name) == shard.places.end();
  });
  REQUIRE(spare != input.nodes.end());
  shard.places.back() = spare->name;
  shard.members.push_back(spare->name);  // all are there, the old one is not gone yet
  shard.moving_since = input.now - std::chrono::hours{1};
  for (const BalanceStep& step : next_steps(input).steps) CHECK(step.places.size() <= 5);
}

TEST_CASE("without balancing a drain is not kept waiting by repairs that are not done") {
  BalanceInput input = cluster_of(5, 40, 3);
  input.options.balancing = false;
  input.options.moves_max = 1;
  node_of(input, "n1").state = State::down;
  node_of(input, "n1").since = input.now - std::chrono::hours{1};
  node_of(input, "n2").state = State::draining;
  const BalancePlan plan = next_steps(input);
  CHECK(with_reason(plan, BalanceReason::drain) > 0);
  CHECK(with_reason(plan, BalanceReason::drain) == plan.steps.size());
}

TEST_CASE("a shard is left alone while it moves, while nobody leads it, without a majority") {
  BalanceInput input = cluster_of(4, 1, 3);
  BalanceShard& shard = input.shards.front();
  node_of(input, shard.places.front()).state = State::draining;
  REQUIRE_FALSE(next_steps(input).steps.empty());
  shard.moving_since = input.now;
  CHECK(next_steps(input).steps.empty());
  shard.moving_since.reset();
  shard.leader.clear();
  CHECK(next_steps(input).steps.empty());
  shard.leader = shard.places.front();
  for (int i : {1, 2})
    node_of(input, shard.places[static_cast<std::size_t>(i)]).state = State::down;
  CHECK(next_steps(input).steps.empty());
}

TEST_CASE("replicas move to other zones once there are some") {
  BalanceInput input;
  add_nodes(input, 6);
  for (BalanceNode& node : input.nodes) node.zone = "z1";
  add_service(input, "a.v1.A", 12, 3);
  settle(input);
  for (BalanceNode& node : input.nodes)
    node.zone = node.name < "n3" ? "z1" : node.name < "n5" ? "z2" : "z3";
  const BalancePlan plan = plan_balance(input);
  CHECK(with_reason(plan, BalanceReason::spread) > 0);
  apply(input, plan);
  for (const BalanceShard& shard : input.shards) {
    std::set<std::string> zones;
    for (const std::string& node : shard.places) zones.insert(node_of(input, node).zone);
    CHECK(zones.size() == 3);
  }
}

TEST_CASE("regions count before zones of one region") {
  BalanceInput input;
  add_nodes(input, 9);
  for (std::size_t i = 0; i < 9; ++i) {
    input.nodes[i].region = "r" + std::to_string(i / 3);
    input.nodes[i].zone = "z" + std::to_string(i % 3);
  }
  add_service(input, "a.v1.A", 9, 3);
  settle(input);
  for (const BalanceShard& shard : input.shards) {
    std::set<std::string> regions;
    for (const std::string& node : shard.places) regions.insert(node_of(input, node).region);
    CHECK(regions.size() == 3);
  }
}

TEST_CASE("a node of twice the capacity gets twice as much") {
  BalanceInput input;
  add_nodes(input, 4);
  node_of(input, "n1").capacity = 2;
  add_service(input, "a.v1.A", 50, 1);
  settle(input);
  CHECK(replica_counts(input)["n1"] == 20);
  CHECK(leader_counts(input)["n1"] == 20);
  CHECK(replica_counts(input)["n2"] == 10);
}

TEST_CASE("leaders are evened by their load, and a busy node gets none") {
  BalanceInput input = cluster_of(3, 12, 3);
  for (BalanceShard& shard : input.shards)
    shard.commands_per_second = shard.places.front() == "n1" ? 900 : 100;
  const BalancePlan plan = plan_balance(input);
  CHECK(with_reason(plan, BalanceReason::leaders) > 0);
  for (const BalanceStep& step : plan.steps) CHECK(step.leads);
  node_of(input, "n2").cpu_share = node_of(input, "n3").cpu_share = 0.95;
  CHECK(plan_balance(input).steps.empty());
  node_of(input, "n2").cpu_share = node_of(input, "n3").cpu_share = 0.5;
  apply(input, plan);
  std::map<std::string, double> rate;
  for (const BalanceShard& shard : input.shards)
    rate[shard.places.front()] += shard.commands_per_second;
  for (const auto& [node, commands] : rate) CHECK(commands <= 2100);  // of 4,400; n1 had 3,600
}

TEST_CASE("a service's replicas leave a node that hosts it no more") {
  BalanceInput input = cluster_of(4, 8, 3);
  node_of(input, "n3").services.clear();
  const BalancePlan plan = plan_balance(input);
  CHECK(with_reason(plan, BalanceReason::not_hosted) == 6);
  apply(input, plan);
  CHECK(left_on_node(input, "n3").nothing());
}

TEST_CASE("a node that was removed counts as dead") {
  BalanceInput input = cluster_of(4, 8, 3);
  std::erase_if(input.nodes, [](const BalanceNode& node) { return node.name == "n4"; });
  const BalancePlan plan = plan_balance(input);
  CHECK(with_reason(plan, BalanceReason::repair) == 6);
  apply(input, plan);
  CHECK(left_on_node(input, "n4").nothing());
}

TEST_CASE("a new cluster is placed when its nodes are there, not on the first of them") {
  BalanceInput input;
  add_nodes(input, 3);
  add_service(input, "a.v1.A", 4, 3);
  node_of(input, "n1").state = State::joining;
  CHECK(next_steps(input).steps.empty());
  CHECK(next_steps(input).held.size() == 4);
  node_of(input, "n1").state = State::up;
  node_of(input, "n1").since = input.now;
  CHECK(with_reason(next_steps(input), BalanceReason::placed) == 4);
  std::erase_if(input.nodes, [](const BalanceNode& node) { return node.name == "n1"; });
  const BalancePlan plan = next_steps(input);
  CHECK(with_reason(plan, BalanceReason::placed) == 4);
  for (const BalanceStep& step : plan.steps) CHECK(step.places.size() == 2);
}

TEST_CASE("a step tells people why") {
  BalanceInput input = cluster_of(4, 1, 3);
  const std::string node = input.shards.front().places.back();
  node_of(input, node).state = State::draining;
  const BalancePlan plan = plan_balance(input);
  REQUIRE(plan.steps.size() == 1);
  CHECK(plan.steps.front().from == node);
  CHECK(why(plan.steps.front()) == node + " is draining");
}

}  // namespace troupe::cluster::tests
