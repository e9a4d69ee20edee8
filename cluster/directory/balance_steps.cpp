// What a planning changed, as steps.
#include <algorithm>

#include "cluster/directory/balance_planner.hpp"

namespace troupe::cluster {

BalanceStep BalancePlanner::step_of(int s, BalanceStep::Kind kind, BalanceReason reason) const {
  const BalanceShard& shard = input_.shards[static_cast<std::size_t>(s)];
  BalanceStep step;
  step.kind = kind;
  step.service = shard.service;
  step.shard = shard.shard;
  step.reason = reason;
  return step;
}

// A replica that was moved on goes to its last place at once, for the first reason; one that came
// back to where it was stays.
void BalancePlanner::write_steps_of(int s, BalancePlan& plan) const {
  const auto shard = static_cast<std::size_t>(s);
  std::vector<Change> net;
  for (const Change& change : changes_[shard]) {
    const auto earlier = std::ranges::find_if(
        net, [&](const Change& one) { return one.to != none && one.to == change.from; });
    if (earlier == net.end())
      net.push_back(change);
    else
      earlier->to = change.to;
  }
  for (Change& change : net) {
    const auto later = std::ranges::find_if(
        net, [&](const Change& one) { return one.from != none && one.from == change.to; });
    if (later == net.end()) continue;
    change.to = later->to;
    later->to = later->from;
  }
  std::erase_if(net, [](const Change& one) { return one.from == one.to; });
  const std::vector<int>& end = model_.shard(s).places;
  std::vector<int> places = first_places_[shard];
  const auto write = [&](BalanceStep step) {
    for (const int n : places) step.places.push_back(name(n));
    plan.steps.push_back(std::move(step));
  };
  for (std::size_t i = 0; i < net.size(); ++i) {
    std::erase(places, net[i].from);
    if (net[i].to != none) places.push_back(net[i].to);
    if (i + 1 == net.size()) places = end;
    BalanceStep step = step_of(s, BalanceStep::Kind::set_places, net[i].reason);
    step.from = name(net[i].from);
    step.to = name(net[i].to);
    write(std::move(step));
  }
  if (!net.empty() || places.front() == end.front()) return;
  places = end;
  BalanceStep step = step_of(s, BalanceStep::Kind::set_places, leader_reason_[shard]);
  step.from = name(first_places_[shard].front());
  step.to = name(end.front());
  step.leads = true;
  write(std::move(step));
}

void BalancePlanner::write_steps(BalancePlan& plan) const {
  plan.steps = abandoned_;
  for (int s = 0; s < model_.shards(); ++s) {
    if (!model_.shard(s).fresh || model_.shard(s).places.empty()) continue;
    BalanceStep step = step_of(s, BalanceStep::Kind::set_places, BalanceReason::placed);
    for (const int n : model_.shard(s).places) step.places.push_back(name(n));
    plan.steps.push_back(std::move(step));
  }
  for (const int s : order_) write_steps_of(s, plan);
  plan.steps.insert(plan.steps.end(), transferred_.begin(), transferred_.end());
}

std::string to_string(BalanceReason reason) {
  switch (reason) {
    case BalanceReason::placed:
      return "placed";
    case BalanceReason::abandoned:
      return "abandoned";
    case BalanceReason::repair:
      return "repair";
    case BalanceReason::drain:
      return "drain";
    case BalanceReason::not_hosted:
      return "not hosted";
    case BalanceReason::factor:
      return "factor";
    case BalanceReason::spread:
      return "spread";
    case BalanceReason::replicas:
      return "replicas";
    case BalanceReason::leaders:
      return "leaders";
    case BalanceReason::preferred:
      return "preferred";
  }
  return "";
}

std::string why(const BalanceStep& step) {
  switch (step.reason) {
    case BalanceReason::placed:
      return "the shard is nowhere yet";
    case BalanceReason::abandoned:
      return "the move " + (step.from.empty() ? "from " + step.to : "to " + step.from) +
             " did not come true";
    case BalanceReason::repair:
      return step.from + " has been down for too long";
    case BalanceReason::drain:
      return step.from + " is draining";
    case BalanceReason::not_hosted:
      return step.from + " does not host the service any more";
    case BalanceReason::factor:
      return step.from.empty() ? "the factor asks for one more" : "the factor asks for one fewer";
    case BalanceReason::spread:
      return "another zone or region than the other replicas";
    case BalanceReason::replicas:
      return "an even share of replicas";
    case BalanceReason::leaders:
      return "an even share of leaders";
    case BalanceReason::preferred:
      return step.to + " is the preferred leader";
  }
  return "";
}

}  // namespace troupe::cluster
