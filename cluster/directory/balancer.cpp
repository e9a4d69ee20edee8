#include "cluster/directory/balancer.hpp"

#include <algorithm>
#include <tuple>

#include "cluster/directory/balance_planner.hpp"
#include "cluster/directory/places.hpp"
#include "runtime/rehearsal/planted.hpp"

namespace troupe::cluster {
namespace {

bool names_it(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

}  // namespace

BalancePlanner::BalancePlanner(const BalanceInput& input, bool all)
    : input_(input),
      all_(all),
      model_(input),
      paused_(model_.awaited() != none),
      moves_of_(at(model_.nodes()), 0),
      changes_(at(model_.shards())),
      noted_(at(model_.shards()), 0),
      leader_reason_(at(model_.shards()), BalanceReason::leaders) {
  for (int s = 0; s < model_.shards(); ++s) {
    const Shard& shard = model_.shard(s);
    first_places_.push_back(shard.places);
    // One that nobody carries out costs nothing, and must not keep others waiting.
    if (!shard.moves || !shard.majority || shard.leader == none) continue;
    ++moves_;
    ++moves_of_[at(shard.leader)];
    for (const int n : shard.places)
      if (std::ranges::find(shard.members, n) == shard.members.end()) ++moves_of_[at(n)];
  }
}

BalancePlan BalancePlanner::run() {
  const bool balancing = input_.options.balancing;
  abandon();
  place();
  if (balancing) repair();
  drain();
  fit_factor();
  if (balancing) {
    spread();
    even_replicas();
    even_leaders();
  }
  transfer();
  BalancePlan plan;
  write_steps(plan);
  plan.held = held_;
  plan.waits_for = name(model_.awaited());
  return plan;
}

// --- what the rules have in common --------------------------------------------------------------

bool BalancePlanner::movable(int s) const {
  const Shard& shard = model_.shard(s);
  return shard.fresh || (!paused_ && !shard.waits && std::ranges::all_of(shard.places, [&](int n) {
           return model_.node(n).lives;
         }));
}

bool BalancePlanner::affords(int s, int to) const {
  const Shard& shard = model_.shard(s);
  if (all_ || shard.fresh) return true;
  const auto spare = [&](int n) {
    return n == none || moves_of_[at(n)] < input_.options.moves_per_node_max;
  };
  return moves_ < input_.options.moves_max && (to == none || (spare(to) && spare(shard.leader)));
}

void BalancePlanner::note(int s) {
  if (noted_[at(s)]) return;
  noted_[at(s)] = 1;
  order_.push_back(s);
}

void BalancePlanner::change(int s, Change change) {
  Shard& shard = model_.shard(s);
  model_.replace(s, change.from, change.to);
  if (shard.fresh) return;
  note(s);
  changes_[at(s)].push_back(change);
  if (all_) return;
  shard.waits = true;
  ++moves_;
  if (change.to == none) return;
  ++moves_of_[at(change.to)];
  if (shard.leader != none) ++moves_of_[at(shard.leader)];
}

void BalancePlanner::lead(int s, int to, BalanceReason reason) {
  Shard& shard = model_.shard(s);
  model_.lead(s, to);
  if (shard.fresh) return;
  note(s);
  leader_reason_[at(s)] = reason;
  if (all_) return;
  shard.waits = true;
  ++transfers_;
}

void BalancePlanner::hold(int s, int node, std::string why) {
  const BalanceShard& shard = input_.shards[at(s)];
  held_.push_back({shard.service, shard.shard, name(node), std::move(why)});
}

// Those that can lose the fewest more members first.
std::vector<int> BalancePlanner::by_urgency() const {
  std::vector<std::pair<int, int>> shards;
  for (int s = 0; s < model_.shards(); ++s) {
    const Shard& shard = model_.shard(s);
    const auto live =
        std::ranges::count_if(shard.members, [&](int n) { return model_.node(n).lives; });
    shards.emplace_back(static_cast<int>(live) - static_cast<int>(shard.members.size() / 2), s);
  }
  std::ranges::sort(shards);
  std::vector<int> order;
  for (const auto& [margin, s] : shards) order.push_back(s);
  return order;
}

// --- rules 1 and 2 ------------------------------------------------------------------------------

void BalancePlanner::abandon() {
  for (int s = 0; s < model_.shards(); ++s) {
    const Shard& shard = model_.shard(s);
    if (!shard.moves || shard.members.empty()) continue;
    const auto& since = input_.shards[at(s)].moving_since;
    const bool late = since && input_.now - *since > input_.options.step_deadline;
    const auto missing = std::ranges::find_if(shard.places, [&](int n) {
      const bool there = std::ranges::find(shard.members, n) != shard.members.end();
      return !there && (late || model_.node(n).dead || model_.node(n).drains);
    });
    // Nothing is missing: the old places are wished back, if so many can be.
    if (missing == shard.places.end() && (!late || shard.members.size() > Places::nodes_max))
      continue;
    BalanceStep step = step_of(s, BalanceStep::Kind::set_places, BalanceReason::abandoned);
    if (missing != shard.places.end()) {
      step.from = name(*missing);
      step.avoids = !model_.node(*missing).dead && !model_.node(*missing).drains;
    }
    for (const int n : shard.places)
      if (std::ranges::find(shard.members, n) != shard.members.end())
        step.places.push_back(name(n));
    for (const int n : shard.members) {
      if (shard.at(n)) continue;
      step.places.push_back(name(n));
      if (step.to.empty()) step.to = name(n);
    }
    abandoned_.push_back(std::move(step));
  }
}

void BalancePlanner::place() {
  for (int s = 0; s < model_.shards(); ++s) {
    const Shard& shard = model_.shard(s);
    if (!shard.fresh) continue;
    // Not on the first node alone, only because the others are still starting.
    if (model_.expects_nodes() && model_.open_hosts(s) < shard.factor) {
      hold(s, none, "waits for nodes that are joining or down");
      continue;
    }
    while (shard.places.size() < shard.factor) {
      const int to = model_.best_target(s, none);
      if (to == none) break;
      change(s, {none, to, BalanceReason::placed});
    }
    if (shard.places.empty())
      hold(s, none, "no node that is up hosts the service");
    else
      model_.lead_best(s);  // only now it is known who could
  }
}

// --- rules 3, 4 and 5: what has to be -----------------------------------------------------------

// Whether the rest still has a live majority without this member.
bool BalancePlanner::spares(int s, int n) const {
  const Shard& shard = model_.shard(s);
  const auto rest = static_cast<std::size_t>(std::ranges::count_if(
      shard.places, [&](int other) { return other != n && model_.node(other).lives; }));
  return rest > (shard.places.size() - 1) / 2;
}

// The replica goes elsewhere, or just goes if there are enough.
void BalancePlanner::leave(int s, int from, BalanceReason reason) {
  const Shard& shard = model_.shard(s);
  const bool enough = shard.places.size() > shard.factor && spares(s, from);
  const int to = enough ? none : model_.best_target(s, from);
  if (!enough && to == none)
    hold(s, from, to_string(reason) + ": no other node can have the replica");
  else if (affords(s, to))
    change(s, {from, to, reason});
}

void BalancePlanner::repair() {
  for (const int s : by_urgency()) {
    if (model_.shard(s).fresh) continue;
    const std::vector<int> places = model_.shard(s).places;
    for (const int n : places) {
      if (!model_.node(n).dead) continue;
      const Shard& shard = model_.shard(s);
      if (!shard.waits) {
        leave(s, n, BalanceReason::repair);
      } else if (!shard.majority && !shard.members.empty()) {
        hold(s, n, "a majority of the members is down: 'troupe recover' if they are lost for good");
        break;
      }
    }
  }
}

bool BalancePlanner::settled_leader(int s, int n) const {
  const Shard& shard = model_.shard(s);
  return model_.node(n).open && model_.node(n).settled &&
         std::ranges::find(shard.members, n) != shard.members.end();
}

void BalancePlanner::drain() {
  // Of a node that still leads what others could lead, no replica moves: leaders first.
  std::vector<char> leads(at(model_.nodes()), 0);
  const auto leaves = [&](int s, int n) {
    const Node& node = model_.node(n);
    return node.drains ||
           (input_.options.balancing && node.open && node.settled && !model_.hosted(s, n));
  };
  for (int s = 0; s < model_.shards(); ++s) {
    const Shard& shard = model_.shard(s);
    if (shard.fresh || shard.waits) continue;
    const int first = shard.places.front();
    int best = none;
    for (const int n : shard.places)
      if (n != first && settled_leader(s, n) && !leaves(s, n) &&
          (best == none || model_.leader_cost(shard, n) < model_.leader_cost(shard, best)))
        best = n;
    if (best == none) continue;
    if (leaves(s, shard.leader)) leads[at(shard.leader)] = 1;
    if (leaves(s, first) && (all_ || transfers_ < input_.options.transfers_max))
      lead(s, best, BalanceReason::drain);
  }
  for (int s = 0; s < model_.shards(); ++s) {
    const std::vector<int> places = model_.shard(s).places;
    for (const int n : places) {
      const Shard& shard = model_.shard(s);
      if (!leaves(s, n) || shard.fresh || shard.waits || (leads[at(n)] && !all_)) continue;
      leave(s, n, model_.node(n).drains ? BalanceReason::drain : BalanceReason::not_hosted);
    }
  }
}

// The replica that can be done without best; none: taking any away would cost the majority.
int BalancePlanner::surplus(int s) const {
  const Shard& shard = model_.shard(s);
  const auto merit = [&](int n) {
    const Node& node = model_.node(n);
    return std::tuple{node.dead,
                      !node.lives,
                      node.drains || !model_.hosted(s, n),
                      n != shard.leader,
                      model_.closeness(s, n, none),
                      model_.fullness(n)};
  };
  int best = none;
  for (const int n : shard.places) {
    if (!spares(s, n)) continue;
    if (best == none || merit(n) > merit(best)) best = n;
  }
  return best;
}

void BalancePlanner::fit_factor() {
  for (int s = 0; s < model_.shards(); ++s) {
    const Shard& shard = model_.shard(s);
    while (!shard.fresh && !shard.waits && shard.places.size() != shard.factor) {
      const bool more = shard.places.size() < shard.factor;
      const int from = more ? none : surplus(s);
      const int to = more ? model_.best_target(s, none) : none;
      if (from == none && to == none)
        hold(s, none,
             more ? "too few replicas: no other node can have one"
                  : "too many replicas: "
                    "without one more the rest would have no live majority");
      if ((from == none && to == none) || !affords(s, to)) break;
      change(s, {from, to, BalanceReason::factor});
    }
  }
}

// --- rule 8 -------------------------------------------------------------------------------------

void BalancePlanner::transfer() {
  for (int s = 0; s < model_.shards(); ++s) {
    const Shard& shard = model_.shard(s);
    if (shard.fresh || shard.waits || shard.places != first_places_[at(s)]) continue;
    const int first = shard.places.front();
    const bool drains = model_.node(shard.leader).drains;
    if (!drains && !input_.options.balancing) continue;
    int to = first;
    if (drains && !settled_leader(s, first)) {
      // Better anybody than one that is about to go.
      const auto other = std::ranges::find_if(
          shard.members, [&](int n) { return model_.node(n).lives && !model_.node(n).drains; });
      if (other == shard.members.end()) continue;
      to = *other;
    } else if (!settled_leader(s, first) || (paused_ && !drains)) {
      continue;
    }
    if (to == shard.leader || (!all_ && transfers_ >= input_.options.transfers_max)) continue;
    ++transfers_;
    BalanceStep step = step_of(s, BalanceStep::Kind::transfer_leader,
                               drains ? BalanceReason::drain : BalanceReason::preferred);
    step.from = name(shard.leader);
    step.to = name(to);
    step.leads = true;
    transferred_.push_back(std::move(step));
  }
}

// ------------------------------------------------------------------------------------------------

BalancePlan plan_balance(const BalanceInput& input) {
  return BalancePlanner{input, true}.run();
}

BalancePlan next_steps(const BalanceInput& input) {
  return BalancePlanner{input, false}.run();
}

LeftOnNode left_on_node(const BalanceInput& input, const std::string& node) {
  LeftOnNode left;
  for (const BalanceShard& shard : input.shards) {
    left.wished += names_it(shard.places, node);
    // Planted: a drain is over as soon as nothing is wished on the node any more.
    if (TROUPE_PLANTED(drain_reports_early)) continue;
    left.members += names_it(shard.members, node);
    left.leaders += shard.leader == node;
    left.unknown += (shard.members.empty() || !shard.knows_wish) && !shard.places.empty();
  }
  return left;
}

}  // namespace troupe::cluster
