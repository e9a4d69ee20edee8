#include "cluster/directory/balance_model.hpp"

#include <algorithm>
#include <map>
#include <tuple>

#include "runtime/storage/checksum.hpp"

namespace troupe::cluster {
namespace {

// Differences below it come from rounding.
constexpr double balance_epsilon = 1e-9;
// What a replica and a leader cost that have nothing to do, as much as so many bytes and commands
// per second: below these figures load hardly counts.
constexpr double idle_bytes = 64.0 * (1 << 20);
constexpr double idle_commands = 100;
// How much evenness of each service counts beside evenness of all in all.
constexpr double service_part = 0.25;
// A load has to differ by more than one shard's weight and by this much of it: then it has to
// change by twice as much for the way back.
constexpr double hysteresis = 0.2;

bool has_node(const std::vector<int>& nodes, int node) {
  return std::ranges::find(nodes, node) != nodes.end();
}

std::size_t as_index(int n) {
  return static_cast<std::size_t>(n);
}

// What a node's square grows by if its share does, and what it shrinks by.
double grown(double share, double weight, double capacity) {
  return weight * (2 * share + weight) / capacity;
}
double shrunk(double share, double weight, double capacity) {
  return weight * (2 * share - weight) / capacity;
}

// One like it with nothing to do weighs `idle`; the mean of all is 1.
double weight_of(double load, double idle, double total, std::size_t shards) {
  return (load + idle) / (total / static_cast<double>(shards) + idle);
}

std::string zone_name(const BalanceNode& node) {
  // No label holds a zero byte.
  if (node.region.empty() && node.zone.empty()) return '\0' + node.name;
  return node.region + '\0' + node.zone;
}

std::string region_name(const BalanceNode& node) {
  return node.region.empty() && node.zone.empty() ? '\0' + node.name : node.region;
}

}  // namespace

bool BalanceModel::Shard::at(int node) const {
  return has_node(places, node);
}

BalanceModel::BalanceModel(const BalanceInput& input) : tolerance_(input.options.tolerance) {
  add_nodes(input);
  add_services(input);
  add_shards(input);
}

void BalanceModel::add_nodes(const BalanceInput& input) {
  std::map<std::string, const BalanceNode*> known;
  for (const BalanceNode& node : input.nodes) known[node.name] = &node;
  // A node that is spoken of and unknown was removed: it is dead.
  for (const BalanceShard& shard : input.shards)
    for (const auto* names : {&shard.places, &shard.members})
      for (const std::string& name : *names) known.emplace(name, nullptr);
  std::map<std::string, int> zones;
  std::map<std::string, int> regions;
  const auto number = [](std::map<std::string, int>& names, const std::string& name) {
    return names.emplace(name, static_cast<int>(names.size())).first->second;
  };
  for (const auto& [name, told] : known) {
    BalanceNode nobody;
    nobody.name = name;
    const BalanceNode& from = told ? *told : nobody;
    using State = BalanceNode::State;
    const Duration age = input.now - from.since;
    Node node;
    node.name = name;
    node.zone = number(zones, zone_name(from));
    node.region = number(regions, region_name(from));
    node.capacity = from.capacity > 0 ? from.capacity : 1;
    node.lives = told && from.state != State::down;
    node.dead = !told || (from.state == State::down && age >= input.options.repair_delay);
    node.drains = told && from.state == State::draining;
    const bool up = told && from.state == State::up;
    node.open = up && !from.cordoned && from.capacity > 0;
    node.settled = up && age >= input.options.settle;
    node.hot = from.cpu_share > input.options.cpu_max;
    if (awaited_ == none && ((!node.lives && !node.dead) || (up && !node.settled)))
      awaited_ = static_cast<int>(nodes_.size());
    expects_nodes_ =
        expects_nodes_ || (told && from.state == State::joining) || (!node.lives && !node.dead);
    nodes_.push_back(std::move(node));
  }
}

void BalanceModel::add_services(const BalanceInput& input) {
  std::map<std::string, int> numbers;
  for (const BalanceShard& shard : input.shards) numbers.emplace(shard.service, 0);
  for (auto& [name, number] : numbers) {
    number = static_cast<int>(services_.size());
    Service service;
    service.hosted.assign(nodes_.size(), 0);
    service.rank.assign(nodes_.size(), 0);
    service.replicas.assign(nodes_.size(), 0);
    service.leaders.assign(nodes_.size(), 0);
    services_.push_back(std::move(service));
  }
  for (const BalanceNode& node : input.nodes)
    for (const std::string& name : node.services)
      if (const auto found = numbers.find(name); found != numbers.end())
        services_[as_index(found->second)].hosted[as_index(find(node.name))] = 1;
  // Services begin at different nodes, so that what does not divide evenly does not add up.
  for (const auto& [name, number] : numbers) {
    Service& service = services_[as_index(number)];
    const auto hosts = static_cast<std::size_t>(std::ranges::count(service.hosted, 1));
    if (hosts == 0) continue;
    std::size_t turn = hosts - runtime::checksum(name) % hosts;
    for (std::size_t n = 0; n < nodes_.size(); ++n)
      if (service.hosted[n]) service.rank[n] = static_cast<int>(turn++ % hosts);
  }
  shards_.reserve(input.shards.size());
  for (const BalanceShard& shard : input.shards)
    shards_.emplace_back().service = numbers.find(shard.service)->second;
}

void BalanceModel::add_shards(const BalanceInput& input) {
  double commands = 0;
  double bytes = 0;
  for (const BalanceShard& shard : input.shards) {
    commands += shard.commands_per_second;
    bytes += static_cast<double>(shard.bytes);
  }
  std::vector<int> avoided_by(nodes_.size(), 0);
  for (std::size_t s = 0; s < shards_.size(); ++s) {
    const BalanceShard& from = input.shards[s];
    Shard& shard = shards_[s];
    shard.factor = std::max(1u, from.factor);
    shard.replica_weight =
        weight_of(static_cast<double>(from.bytes), idle_bytes, bytes, shards_.size());
    shard.leader_weight =
        weight_of(from.commands_per_second, idle_commands, commands, shards_.size());
    for (const std::string& name : from.places) shard.places.push_back(find(name));
    for (const std::string& name : from.members) shard.members.push_back(find(name));
    if (!from.leader.empty()) shard.leader = find(from.leader);
    for (const BalanceShard::Avoided& avoided : from.avoided)
      if (input.now - avoided.since < input.options.avoid_for)
        if (const int n = find(avoided.node); n != none && !has_node(shard.avoided, n)) {
          shard.avoided.push_back(n);
          at(n).shunned = ++avoided_by[as_index(n)] > 1;
        }
    const auto live = static_cast<std::size_t>(
        std::ranges::count_if(shard.members, [&](int n) { return node(n).lives; }));
    shard.majority = live > shard.members.size() / 2;
    shard.moves = shard.members.size() != shard.places.size() ||
                  !std::ranges::all_of(shard.members, [&](int n) { return shard.at(n); });
    shard.fresh = shard.places.empty() && shard.members.empty();
    shard.waits = !shard.fresh &&
                  (shard.moves || from.moving_since || !shard.majority || shard.leader == none);
    for (const int n : shard.places) count(shard, n, 1);
    for (const int n : shard.places) at(n).shards.push_back(static_cast<int>(s));
    count_leader(shard, 1);
  }
}

int BalanceModel::find(const std::string& name) const {
  const auto found = std::ranges::lower_bound(nodes_, name, {}, &Node::name);
  return found == nodes_.end() || found->name != name ? none
                                                      : static_cast<int>(found - nodes_.begin());
}

bool BalanceModel::hosted(int s, int n) const {
  return services_[as_index(shard(s).service)].hosted[as_index(n)] != 0;
}

std::size_t BalanceModel::open_hosts(int s) const {
  std::size_t hosts = 0;
  for (int n = 0; n < nodes(); ++n) hosts += node(n).open && hosted(s, n) ? 1 : 0;
  return hosts;
}

void BalanceModel::count(const Shard& shard, int n, double sign) {
  at(n).replicas += sign * shard.replica_weight;
  services_[as_index(shard.service)].replicas[as_index(n)] += sign;
}

void BalanceModel::count_leader(const Shard& shard, double sign) {
  if (shard.places.empty()) return;
  const int n = shard.places.front();
  at(n).leaders += sign * shard.leader_weight;
  services_[as_index(shard.service)].leaders[as_index(n)] += sign;
}

void BalanceModel::replace(int s, int from, int to) {
  Shard& one = shard(s);
  count_leader(one, -1);
  const bool led = one.places.empty() || one.places.front() == from;
  for (const int n : one.places) ++at(n).changes;
  if (from != none) {
    std::erase(one.places, from);
    std::erase(at(from).shards, s);
    count(one, from, -1);
  }
  if (to != none) {
    one.places.push_back(to);
    at(to).shards.push_back(s);
    count(one, to, 1);
    ++at(to).changes;
  }
  if (led && !one.places.empty()) put_first(one, best_leader(one));
  count_leader(one, 1);
}

void BalanceModel::put_first(Shard& shard, int n) {
  const auto leader = std::ranges::find(shard.places, n);
  std::rotate(shard.places.begin(), leader, leader + 1);
}

void BalanceModel::lead(int s, int n) {
  count_leader(shard(s), -1);
  put_first(shard(s), n);
  count_leader(shard(s), 1);
}

void BalanceModel::lead_best(int s) {
  count_leader(shard(s), -1);
  put_first(shard(s), best_leader(shard(s)));
  count_leader(shard(s), 1);
}

double BalanceModel::leader_cost(const Shard& shard, int n) const {
  const Node& one = node(n);
  return grown(one.leaders, shard.leader_weight, one.capacity) +
         service_part *
             grown(services_[as_index(shard.service)].leaders[as_index(n)], 1, one.capacity);
}

// Of the places; the shard must not be counted among the leaders.
int BalanceModel::best_leader(const Shard& shard) const {
  if (shard.at(shard.leader) && node(shard.leader).open) return shard.leader;
  const Service& service = services_[as_index(shard.service)];
  const auto merit = [&](int n) {
    return std::tuple{!node(n).open, node(n).drains || !node(n).lives, leader_cost(shard, n),
                      service.rank[as_index(n)]};
  };
  return *std::ranges::min_element(shard.places, {}, merit);
}

bool BalanceModel::may_have(int s, int n) const {
  const Shard& one = shard(s);
  return hosted(s, n) && !one.at(n) && !node(n).shunned && !has_node(one.avoided, n);
}

int BalanceModel::closeness(int s, int n, int without) const {
  int sum = 0;
  for (const int other : shard(s).places) {
    if (other == without || other == n) continue;
    if (node(other).zone == node(n).zone)
      sum += 2;
    else if (node(other).region == node(n).region)
      sum += 1;
  }
  return sum;
}

int BalanceModel::best_target(int s, int without) const {
  const Shard& one = shard(s);
  const Service& service = services_[as_index(one.service)];
  const auto merit = [&](int n) {
    const Node& to = node(n);
    const double cost = grown(to.replicas, one.replica_weight, to.capacity) +
                        service_part * grown(service.replicas[as_index(n)], 1, to.capacity);
    return std::tuple{closeness(s, n, without), to.hot, cost, service.rank[as_index(n)]};
  };
  int best = none;
  decltype(merit(0)) best_merit;
  for (int n = 0; n < nodes(); ++n) {
    if (!node(n).open || !(node(n).settled || one.fresh) || !may_have(s, n)) continue;
    const auto its = merit(n);
    if (best != none && !(its < best_merit)) continue;
    best = n;
    best_merit = its;
  }
  return best;
}

void BalanceModel::measure_means() {
  mean_ = {};
  service_means_.assign(services_.size(), {});
  double capacity = 0;
  for (const Node& one : nodes_) {
    if (!one.open) continue;
    capacity += one.capacity;
    mean_.replicas += one.replicas;
    mean_.leaders += one.leaders;
  }
  if (capacity > 0) mean_ = {mean_.replicas / capacity, mean_.leaders / capacity};
  for (std::size_t i = 0; i < services_.size(); ++i) {
    Means& mean = service_means_[i];
    double hosts = 0;
    for (std::size_t n = 0; n < nodes_.size(); ++n) {
      if (!nodes_[n].open || !services_[i].hosted[n]) continue;
      hosts += nodes_[n].capacity;
      mean.replicas += services_[i].replicas[n];
      mean.leaders += services_[i].leaders[n];
    }
    if (hosts > 0) mean = {mean.replicas / hosts, mean.leaders / hosts};
  }
}

bool BalanceModel::off(double high, double low, double mean) const {
  return high > mean * (1 + tolerance_) + balance_epsilon ||
         low < mean * (1 - tolerance_) - balance_epsilon;
}

double BalanceModel::gain(const Side& from, const Side& to, double weight, double mean,
                          double service_mean) const {
  // What is even enough gives no reason to move; what it would lose counts against one.
  const auto counted = [](double gain, double least, bool wanted) {
    return gain > 0 && !(wanted && gain > least) ? 0 : gain;
  };
  const double least = hysteresis * weight * weight * (1 / from.capacity + 1 / to.capacity);
  const double all =
      counted(shrunk(from.share, weight, from.capacity) - grown(to.share, weight, to.capacity),
              least, off(from.share / from.capacity, to.share / to.capacity, mean));
  const double service =
      counted(shrunk(from.count, 1, from.capacity) - grown(to.count, 1, to.capacity), 0,
              off(from.count / from.capacity, to.count / to.capacity, service_mean));
  const double gain = all + service_part * service;
  return gain > balance_epsilon ? gain : 0;
}

double BalanceModel::replica_gain(int s, int from, int to) const {
  const Shard& one = shard(s);
  const auto& counts = services_[as_index(one.service)].replicas;
  const auto side = [&](int n) {
    return Side{node(n).replicas, counts[as_index(n)], node(n).capacity};
  };
  return gain(side(from), side(to), one.replica_weight, mean_.replicas,
              service_means_[as_index(one.service)].replicas);
}

double BalanceModel::leader_gain(int s, int to) const {
  const Shard& one = shard(s);
  const auto& counts = services_[as_index(one.service)].leaders;
  const auto side = [&](int n) {
    return Side{node(n).leaders, counts[as_index(n)], node(n).capacity};
  };
  return gain(side(one.places.front()), side(to), one.leader_weight, mean_.leaders,
              service_means_[as_index(one.service)].leaders);
}

}  // namespace troupe::cluster
