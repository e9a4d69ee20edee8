// What the keeper does about where replicas are: it asks the balancer once a second, and orders
// what that says. A change of a wish goes into the table; leadership is handed over by who has it,
// as the answer to its call.
#include <algorithm>

#include "cluster/directory/keeper.hpp"
#include "runtime/rehearsal/marks.hpp"

namespace troupe::cluster {
namespace {

// A transfer that was ordered has succeeded by then, or has not.
constexpr Duration transfer_time = std::chrono::seconds{5};

std::string name_of(const BalanceStep& step) {
  return step.service + "/" + std::to_string(step.shard);
}

}  // namespace

// Shard time is never far from the clock of whoever leads.
BalanceInput DirectoryKeeper::balance_input() const {
  BalanceInput input = reports_.input(table_, spec_.platform->clock().wall(), options_.balance);
  double processors = 0;
  std::size_t told = 0;
  for (BalanceNode& node : input.nodes) {
    node.cpu_share = loads_.cpu_share(node.name);
    node.capacity = loads_.processors(node.name);
    processors += node.capacity;
    told += node.capacity > 0;
  }
  // Relative to the mean; who has not told yet is taken for one like the others.
  for (BalanceNode& node : input.nodes)
    node.capacity = node.capacity > 0 ? node.capacity * static_cast<double>(told) / processors : 1;
  return input;
}

void DirectoryKeeper::balance() {
  if (table_.version() == 0) return;
  const BalanceInput input = balance_input();
  for (const BalanceStep& step : next_steps(input).steps) {
    if (step.kind == BalanceStep::Kind::set_places)
      set_places(step);
    else
      transfer(step);
  }
  // A call that is answered is made again, with what has become of the moves.
  for (const std::string& node : wanted_reports(input))
    if (auto waiting = waiting_.extract(node)) answer(waiting.mapped());
}

void DirectoryKeeper::set_places(const BalanceStep& step) {
  const DirectoryShard* shard = find_shard(table_, step.service, step.shard);
  if (!shard) return;
  directory::v1::SetPlacesRequest request;
  request.set_service(step.service);
  request.set_shard(step.shard);
  request.set_based_on(shard->version());
  for (const std::string& node : step.places) request.add_nodes(node);
  if (step.reason == BalanceReason::abandoned) {
    TROUPE_SOMETIMES("a move was abandoned");
    if (step.avoids) request.set_avoid(step.from);
  }
  TROUPE_SOMETIMES("the balancer moved something");
  *request.mutable_why() = why(to_string(step.reason) + ": " + cluster::why(step));
  change("the places of " + name_of(step),
         directory::v1::DirectoryRef{std::string{directory_key}}.SetPlaces(request), request.why());
}

void DirectoryKeeper::transfer(const BalanceStep& step) {
  const MonotonicTime now = spec_.platform->clock().now();
  const auto waiting = waiting_.find(step.from);
  if (waiting == waiting_.end()) return;  // it calls again
  const auto [last, first_time] = transferred_.emplace(name_of(step), now);
  if (!first_time && now - last->second < transfer_time) return;
  last->second = now;
  LeadershipOrder& order = waiting->second.transfers.emplace_back();
  order.set_service(step.service);
  order.set_shard(step.shard);
  order.set_node(step.to);
  TROUPE_SOMETIMES("the balancer had leadership handed over");
  spec_.platform->log().info("directory.transfer",
                             "leadership of " + name_of(step) + " is to go from " + step.from +
                                 " to " + step.to + ": " + cluster::why(step),
                             {{"who", spec_.node}, {"what", name_of(step)}});
}

// While something moves or drains, who leads it tells once a second instead of with each call, and
// so does who is to lead. Of a shard that nobody is known to lead everybody may know more.
std::set<std::string> DirectoryKeeper::wanted_reports(const BalanceInput& input) const {
  std::set<std::string> nodes;
  for (const auto& [node, waiting] : waiting_) {
    if (!waiting.transfers.empty()) nodes.insert(node);
    for (const LeadershipOrder& order : waiting.transfers) nodes.insert(order.node());
  }
  std::set<std::string> draining;
  for (const BalanceNode& node : input.nodes)
    if (node.state == BalanceNode::State::draining) draining.insert(node.name);
  const auto drains = [&](const std::string& node) { return draining.contains(node); };
  for (const BalanceShard& shard : input.shards) {
    const bool leaves =
        std::ranges::any_of(shard.places, drains) || std::ranges::any_of(shard.members, drains);
    if (!shard.moving_since && !leaves && !(shard.members.empty() && !draining.empty())) continue;
    if (!shard.leader.empty()) {
      nodes.insert(shard.leader);
      continue;
    }
    for (const auto& [node, waiting] : waiting_) nodes.insert(node);
    break;
  }
  return nodes;
}

}  // namespace troupe::cluster
