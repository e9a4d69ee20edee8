#include "tests/cluster/directory/balance_stage.hpp"

#include <algorithm>

namespace troupe::cluster::tests {
namespace {

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

bool same_set(std::vector<std::string> a, std::vector<std::string> b) {
  std::ranges::sort(a);
  std::ranges::sort(b);
  return a == b;
}

BalanceShard& shard_of(BalanceInput& input, const BalanceStep& step) {
  const auto found = std::ranges::find_if(input.shards, [&](const BalanceShard& shard) {
    return shard.service == step.service && shard.shard == step.shard;
  });
  REQUIRE(found != input.shards.end());
  return *found;
}

const BalanceNode* find_node(const BalanceInput& input, const std::string& name) {
  const auto found = std::ranges::find(input.nodes, name, &BalanceNode::name);
  return found == input.nodes.end() ? nullptr : &*found;
}

std::map<std::string, double> counts(const BalanceInput& input, bool leaders) {
  std::map<std::string, double> counts;
  for (const BalanceNode& node : input.nodes) counts[node.name] = 0;
  for (const BalanceShard& shard : input.shards)
    for (const std::string& node : shard.places) {
      ++counts[node];
      if (leaders) break;
    }
  return counts;
}

}  // namespace

RandomStream draw_from(std::uint64_t seed) {
  return {seed, simulations::Domain::scenario, 0, 0};
}

void add_nodes(BalanceInput& input, int count) {
  for (int i = 0; i < count; ++i) {
    BalanceNode& node = input.nodes.emplace_back();
    node.name = "n" + std::to_string(input.nodes.size());
    std::set<std::string> services;
    for (const BalanceShard& shard : input.shards) services.insert(shard.service);
    node.services.assign(services.begin(), services.end());
  }
  if (input.now == WallTime{}) input.now += std::chrono::hours{1};
}

void add_service(BalanceInput& input, const std::string& service, std::uint32_t shards,
                 std::uint32_t factor) {
  for (BalanceNode& node : input.nodes) node.services.push_back(service);
  for (std::uint32_t shard = 0; shard < shards; ++shard) {
    BalanceShard& one = input.shards.emplace_back();
    one.service = service;
    one.shard = shard;
    one.factor = factor;
  }
}

BalanceNode& node_of(BalanceInput& input, const std::string& name) {
  const auto found = std::ranges::find(input.nodes, name, &BalanceNode::name);
  REQUIRE(found != input.nodes.end());
  return *found;
}

BalanceInput drawn_cluster(RandomStream& random, const Drawn& what) {
  BalanceInput input;
  const auto count = random.between(1, static_cast<std::uint64_t>(what.nodes_max));
  add_nodes(input, static_cast<int>(count));
  const auto zones = what.zones ? random.between(0, 5) : 0;
  const auto regions = random.between(1, 3);
  for (BalanceNode& node : input.nodes) {
    if (what.capacities) node.capacity = static_cast<double>(random.between(1, 4)) / 2;
    if (zones == 0) continue;
    const auto zone = random.between(1, zones);
    node.zone = "z" + std::to_string(zone);
    if (regions > 1) node.region = "r" + std::to_string(zone % regions);
  }
  const auto services = random.between(1, 5);
  for (std::uint64_t i = 1; i <= services; ++i)
    add_service(input, "a.v1.S" + std::to_string(i),
                static_cast<std::uint32_t>(random.between(1, 16)),
                static_cast<std::uint32_t>(1 + 2 * random.between(0, 2)));
  if (what.partial && random.chance(300'000))
    for (BalanceNode& node : input.nodes)
      std::erase_if(node.services, [&](const std::string&) { return random.chance(200'000); });
  if (what.loads) draw_loads(input, random);
  settle(input);
  return input;
}

void draw_loads(BalanceInput& input, RandomStream& random) {
  for (BalanceShard& shard : input.shards) {
    // A few shards are ten times as busy as most.
    const std::uint64_t factor = random.chance(100'000) ? 10 : 1;
    shard.commands_per_second = static_cast<double>(factor * random.between(50, 150));
    shard.bytes = (1 + factor / 5) * random.between(50, 150) << 20;
  }
}

void apply(BalanceInput& input, const BalancePlan& plan) {
  for (const BalanceStep& step : plan.steps) {
    BalanceShard& shard = shard_of(input, step);
    if (step.kind == BalanceStep::Kind::set_places) shard.places = shard.members = step.places;
    shard.leader = step.kind == BalanceStep::Kind::set_places ? step.places.front() : step.to;
  }
}

void settle(BalanceInput& input) {
  apply(input, plan_balance(input));
}

std::map<std::string, double> replica_counts(const BalanceInput& input) {
  return counts(input, false);
}

std::map<std::string, double> leader_counts(const BalanceInput& input) {
  return counts(input, true);
}

double spread_of(const std::map<std::string, double>& counts) {
  const auto [low, high] =
      std::ranges::minmax_element(counts, {}, [](const auto& count) { return count.second; });
  return high->second - low->second;
}

Moved moved(const BalanceInput& before, const BalanceInput& after) {
  Moved moved;
  for (std::size_t s = 0; s < before.shards.size(); ++s) {
    for (const std::string& node : after.shards[s].places)
      moved.replicas += !contains(before.shards[s].places, node);
    moved.leaders += before.shards[s].places.front() != after.shards[s].places.front();
  }
  return moved;
}

// --- the stage ----------------------------------------------------------------------------------

bool Stage::lives(const std::string& name) const {
  const BalanceNode* node = find_node(in, name);
  return node && node->state != State::down;
}

void Stage::down(const std::string& name) {
  node_of(in, name).state = State::down;
  node_of(in, name).since = in.now;
  for (BalanceShard& shard : in.shards) elect(shard);
}

void Stage::up(const std::string& name) {
  node_of(in, name).state = State::up;
  node_of(in, name).since = in.now;
  for (BalanceShard& shard : in.shards) elect(shard);
}

// Any live member leads if there is a majority of them.
void Stage::elect(BalanceShard& shard) {
  std::vector<std::string> live;
  for (const std::string& node : shard.members)
    if (lives(node)) live.push_back(node);
  if (live.size() <= shard.members.size() / 2)
    shard.leader.clear();
  else if (!contains(live, shard.leader))
    shard.leader = live[random_.between(0, live.size() - 1)];
}

BalancePlan Stage::round() {
  in.now += std::chrono::seconds{1};
  const BalancePlan plan = next_steps(in);
  check(plan);
  carry_out(plan);
  for (BalanceShard& shard : in.shards)
    if (random_.chance(500'000)) follow(shard);
  return plan;
}

int Stage::run(int rounds_max) {
  int quiet = 0;
  for (int rounds = 0; rounds < rounds_max; ++rounds) {
    const bool still =
        round().steps.empty() && std::ranges::all_of(in.shards, [](const BalanceShard& shard) {
          return same_set(shard.places, shard.members) || shard.leader.empty();
        });
    quiet = still ? quiet + 1 : 0;
    if (quiet > 30) return rounds - quiet + 1;
  }
  FAIL("the balancer still moves after " << rounds_max << " rounds");
  return rounds_max;
}

void Stage::carry_out(const BalancePlan& plan) {
  for (const BalanceStep& step : plan.steps) {
    BalanceShard& shard = shard_of(in, step);
    if (step.kind == BalanceStep::Kind::transfer_leader) {
      ++transfers;
      shard.leader = step.to;
      continue;
    }
    const bool placed = shard.places.empty();
    if (!same_set(shard.places, step.places)) shard.moving_since = in.now;
    if (step.avoids) shard.avoided.push_back({step.from, in.now});
    shard.places = step.places;
    if (placed) shard.members = shard.places;
    if (placed) elect(shard);
    if (same_set(shard.places, shard.members)) shard.moving_since.reset();
  }
}

void Stage::follow(BalanceShard& shard) {
  if (shard.leader.empty()) return;
  std::vector<std::string> come;
  std::vector<std::string> go;
  for (const std::string& node : shard.places)
    if (!contains(shard.members, node)) come.push_back(node);
  for (const std::string& node : shard.members)
    if (!contains(shard.places, node)) go.push_back(node);
  std::ranges::stable_partition(go, [&](const std::string& node) { return !lives(node); });
  const auto live = static_cast<std::size_t>(
      std::ranges::count_if(shard.members, [&](const std::string& node) { return lives(node); }));
  if (!go.empty() && (come.empty() || !lives(go.front()))) {
    // A node went down meanwhile: then not the one that the majority needs.
    if (lives(go.front()) && live - 1 <= (shard.members.size() - 1) / 2) return;
    std::erase(shard.members, go.front());
  } else if (!come.empty() && lives(come.front()) && !stuck.contains(come.front())) {
    shard.members.push_back(come.front());
    ++replicas_moved;
  } else {
    return;
  }
  elect(shard);
  if (same_set(shard.places, shard.members)) shard.moving_since.reset();
}

void Stage::check(const BalancePlan& plan) {
  std::set<std::pair<std::string, std::uint32_t>> touched;
  std::uint32_t moves = 0;
  std::map<std::string, std::uint32_t> moves_of;
  const auto move = [&](const std::string& leader, const std::vector<std::string>& come) {
    ++moves;
    if (come.empty()) return;
    ++moves_of[leader];
    for (const std::string& node : come) ++moves_of[node];
  };
  const auto missing = [](const std::vector<std::string>& all, const std::vector<std::string>& of) {
    std::vector<std::string> rest;
    for (const std::string& node : all)
      if (!contains(of, node)) rest.push_back(node);
    return rest;
  };
  bool asked = false;
  for (const BalanceStep& step : plan.steps) {
    CHECK(touched.insert({step.service, step.shard}).second);
    const BalanceShard& shard = shard_of(in, step);
    if (step.reason != BalanceReason::abandoned) {
      CHECK(same_set(shard.places, shard.members));
      CHECK_FALSE(shard.moving_since);
    }
    if (step.kind == BalanceStep::Kind::transfer_leader) {
      CHECK(contains(shard.members, step.to));
      CHECK(lives(step.to));
      CHECK(step.to != shard.leader);
      continue;
    }
    check_places(step, shard);
    if (shard.places.empty() || step.leads || step.reason == BalanceReason::abandoned) continue;
    move(shard.leader, missing(step.places, shard.members));
    asked = true;
  }
  for (const BalanceShard& shard : in.shards)
    if (!same_set(shard.places, shard.members) && !shard.leader.empty())
      move(shard.leader, missing(shard.places, shard.members));
  if (!asked) return;
  CHECK(moves <= in.options.moves_max);
  for (const BalanceStep& step : plan.steps)
    if (!step.leads && !step.to.empty() && step.reason != BalanceReason::abandoned)
      CHECK(moves_of[step.to] <= in.options.moves_per_node_max);
}

void Stage::check_places(const BalanceStep& step, const BalanceShard& shard) {
  CAPTURE(step.service);
  CAPTURE(step.shard);
  CHECK_FALSE(step.places.empty());
  CHECK(std::set<std::string>(step.places.begin(), step.places.end()).size() == step.places.size());
  std::vector<std::string> come;
  for (const std::string& name : step.places)
    if (!contains(shard.places, name)) come.push_back(name);
  if (step.reason == BalanceReason::abandoned) {
    CHECK(same_set(step.places, shard.members));
    return;
  }
  if (!shard.places.empty()) CHECK(come.size() <= 1);
  const auto live = static_cast<std::size_t>(
      std::ranges::count_if(step.places, [&](const std::string& node) { return lives(node); }));
  CHECK_MESSAGE(live > step.places.size() / 2, "a wish with too few live voters");
  if (step.places.size() < shard.places.size()) CHECK(shard.places.size() > shard.factor);
  if (step.places.size() > shard.places.size()) CHECK(step.places.size() <= shard.factor);
  for (const std::string& name : come) {
    const BalanceNode* node = find_node(in, name);
    REQUIRE(node);
    CHECK(node->state == State::up);
    CHECK_FALSE(node->cordoned);
    CHECK(contains(node->services, shard.service));
    for (const auto& avoided : shard.avoided)
      if (avoided.node == name) CHECK(in.now - avoided.since >= in.options.avoid_for);
  }
}

}  // namespace troupe::cluster::tests
