#include "cluster/directory/reports.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>

namespace troupe::cluster {
namespace {

// Rates are means of about so long.
constexpr Duration mean_over = std::chrono::minutes{1};

std::string label_of(const DirectoryNode& node, std::string_view name) {
  for (const DirectoryLabel& label : node.labels())
    if (label.name() == name) return label.value();
  return {};
}

BalanceNode balance_node(const DirectoryNode& node) {
  using State = BalanceNode::State;
  BalanceNode one;
  one.name = node.name();
  one.region = label_of(node, "region");
  one.zone = label_of(node, "zone");
  one.state = node.state() == DirectoryNode::DOWN      ? State::down
              : node.draining()                        ? State::draining
              : node.state() == DirectoryNode::JOINING ? State::joining
                                                       : State::up;
  one.since = WallTime{std::chrono::milliseconds{node.since_ms()}};
  one.cordoned = node.cordoned();
  one.services.assign(node.services().begin(), node.services().end());
  return one;
}

std::tuple<std::uint64_t, std::uint64_t> age_of(const ShardReport& report) {
  return {report.term(), report.configuration_index()};
}

}  // namespace

void Reports::take(const std::string& node, const DirectoryCall& call, MonotonicTime now) {
  std::set<Key> led;
  for (const ShardReport& report : call.shards()) {
    const Key key{report.service(), report.shard()};
    Shard& known = shards_[key];
    if (age_of(report) < age_of(known.newest)) continue;  // of a leader that does not know its end
    led.insert(key);
    const bool same_count = known.leader == node && known.newest.term() == report.term() &&
                            report.commands() >= known.newest.commands();
    const double seconds = std::chrono::duration<double>(now - known.at).count();
    if (same_count && seconds > 0) {
      const double rate =
          static_cast<double>(report.commands() - known.newest.commands()) / seconds;
      const double weight =
          1 - std::exp(-seconds / std::chrono::duration<double>(mean_over).count());
      known.commands_per_second += weight * (rate - known.commands_per_second);
    }
    known.newest = report;
    known.leader = node;
    known.version = call.version();
    known.at = now;
  }
  for (auto& [key, known] : shards_)
    if (known.leader == node && !led.contains(key)) known.leader.clear();
}

BalanceInput Reports::input(const DirectoryTable& table, WallTime now,
                            const BalanceOptions& options) const {
  BalanceInput input;
  input.now = now;
  input.options = options;
  for (const DirectoryNode& node : table.nodes())
    if (node.state() != DirectoryNode::REMOVED) input.nodes.push_back(balance_node(node));
  for (const DirectoryShard& shard : table.shards()) {
    BalanceShard& one = input.shards.emplace_back();
    one.service = shard.service();
    one.shard = shard.shard();
    if (const DirectoryService* service = find_service(table, shard.service()))
      one.factor = service->factor();
    one.places.assign(shard.nodes().begin(), shard.nodes().end());
    for (const auto& avoided : shard.avoided())
      one.avoided.push_back(
          {avoided.node(), WallTime{std::chrono::milliseconds{avoided.since_ms()}}});
    const auto found = shards_.find({shard.service(), shard.shard()});
    if (found == shards_.end()) continue;
    const Shard& known = found->second;
    bool catching_up = false;
    for (const auto& member : known.newest.members()) {
      if (member.voter()) one.members.push_back(member.node());
      catching_up = catching_up || !member.voter();
    }
    one.knows_wish = known.version >= shard.version();
    one.commands_per_second = known.commands_per_second;
    one.bytes = known.newest.bytes();
    const DirectoryNode* leader = find_node(table, known.leader);
    if (leader && leader->state() == DirectoryNode::UP) one.leader = known.leader;
    auto places = one.places;
    auto members = one.members;
    std::ranges::sort(places);
    std::ranges::sort(members);
    if (shard.since_ms() != 0 && (places != members || catching_up))
      one.moving_since = WallTime{std::chrono::milliseconds{shard.since_ms()}};
  }
  return input;
}

}  // namespace troupe::cluster
