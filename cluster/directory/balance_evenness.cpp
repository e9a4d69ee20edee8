// Rules 6 and 7: what would be better, and nobody is lost without.
#include <algorithm>
#include <tuple>

#include "cluster/directory/balance_planner.hpp"

namespace troupe::cluster {

bool BalancePlanner::spread_one(int s) {
  const Shard& shard = model_.shard(s);
  Change best{none, none, BalanceReason::spread};
  int least = 0;
  for (const int n : shard.places) {
    if (!model_.node(n).open) continue;
    const int now = model_.closeness(s, n, none);
    if (now == 0) continue;
    const int to = model_.best_target(s, n);
    if (to == none || !affords(s, to)) continue;
    const int less = now - model_.closeness(s, to, n);
    if (less <= least) continue;
    least = less;
    best = {n, to, BalanceReason::spread};
  }
  if (best.to == none) return false;
  change(s, best);
  return true;
}

void BalancePlanner::spread() {
  for (int s = 0; s < model_.shards(); ++s)
    while (movable(s) && spread_one(s)) {
    }
}

// The shard whose move between the two gains most; of equals one that `from` does not lead, then
// the first.
int BalancePlanner::best_between(int from, int to) const {
  int best = none;
  std::tuple<double, bool, int> most{0, false, 0};
  for (const int s : model_.node(from).shards) {
    if (!movable(s) || !model_.may_have(s, to)) continue;
    const double gain = model_.replica_gain(s, from, to);
    const std::tuple merit{gain, model_.shard(s).places.front() != from, -s};
    if (gain <= 0 || (best != none && merit <= most)) continue;
    if (model_.closeness(s, to, from) > model_.closeness(s, from, none) || !affords(s, to))
      continue;
    best = s;
    most = merit;
  }
  return best;
}

// From the fullest node to the emptiest that can take something. `tried` remembers for each pair of
// nodes at how many changes of both nothing could be moved between them.
bool BalancePlanner::move_one(std::vector<std::uint64_t>& tried) {
  std::vector<int> order;
  for (int n = 0; n < model_.nodes(); ++n)
    if (model_.node(n).open) order.push_back(n);
  std::ranges::stable_sort(order, std::ranges::greater{},
                           [&](int n) { return model_.fullness(n); });
  for (const int from : order)
    for (auto target = order.rbegin(); target != order.rend(); ++target) {
      const int to = *target;
      if (to == from || model_.node(to).hot) continue;
      const std::uint64_t changes = model_.node(from).changes + model_.node(to).changes + 1;
      auto& before = tried[at(from) * at(model_.nodes()) + at(to)];
      if (before == changes) continue;
      const int s = best_between(from, to);
      if (s != none) {
        change(s, {from, to, BalanceReason::replicas});
        return true;
      }
      before = changes;
    }
  return false;
}

void BalancePlanner::even_replicas() {
  model_.measure_means();
  std::vector<std::uint64_t> tried(at(model_.nodes()) * at(model_.nodes()), 0);
  while (move_one(tried)) {
  }
}

void BalancePlanner::even_leaders() {
  model_.measure_means();
  for (;;) {
    int best = none;
    int best_to = none;
    double most = 0;
    for (int s = 0; s < model_.shards(); ++s) {
      const Shard& shard = model_.shard(s);
      if (!movable(s) || shard.places.empty() || !model_.node(shard.places.front()).open) continue;
      if (!all_ && !shard.fresh && transfers_ >= input_.options.transfers_max) continue;
      for (const int to : shard.places) {
        if (!model_.node(to).open || model_.node(to).hot || to == shard.places.front()) continue;
        const double gain = model_.leader_gain(s, to);
        if (gain <= most) continue;
        std::tie(best, best_to, most) = std::tuple{s, to, gain};
      }
    }
    if (best == none) return;
    lead(best, best_to, BalanceReason::leaders);
  }
}

}  // namespace troupe::cluster
