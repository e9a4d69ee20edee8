// One planning: the rules of balancer.hpp, in their order, on a BalanceModel. What they change is
// written down, and made steps of at the end (balance_steps.cpp), so that a replica that several
// rules moved on goes there at once.
#pragma once

#include <string>
#include <vector>

#include "cluster/directory/balance_model.hpp"

namespace troupe::cluster {

class BalancePlanner {
 public:
  // `all`: without limits, as if each step came true at once.
  BalancePlanner(const BalanceInput& input, bool all);

  BalancePlan run();

 private:
  static constexpr int none = BalanceModel::none;
  using Node = BalanceModel::Node;
  using Shard = BalanceModel::Shard;

  struct Change {
    int from = none;
    int to = none;
    BalanceReason reason = BalanceReason::placed;
  };

  // The rules.
  void abandon();
  void place();
  void repair();
  void drain();
  void fit_factor();
  void spread();  // these three in balance_evenness.cpp
  void even_replicas();
  void even_leaders();
  void transfer();

  // Whether rules 6 and 7 may move this shard's replicas, or make another one its leader.
  bool movable(int s) const;
  // Whether the limits allow a new replica there; `to` none: one fewer.
  bool affords(int s, int to) const;
  bool settled_leader(int s, int n) const;
  void note(int s);
  void change(int s, Change change);
  void lead(int s, int to, BalanceReason reason);
  void hold(int s, int node, std::string why);
  std::vector<int> by_urgency() const;
  bool spares(int s, int n) const;
  void leave(int s, int from, BalanceReason reason);
  int surplus(int s) const;
  bool spread_one(int s);
  bool move_one(std::vector<std::uint64_t>& tried);
  int best_between(int from, int to) const;

  static std::size_t at(int i) { return static_cast<std::size_t>(i); }

  // balance_steps.cpp
  void write_steps(BalancePlan& plan) const;
  void write_steps_of(int s, BalancePlan& plan) const;
  BalanceStep step_of(int s, BalanceStep::Kind kind, BalanceReason reason) const;
  std::string name(int n) const { return n == none ? std::string{} : model_.node(n).name; }

  const BalanceInput& input_;
  const bool all_;
  BalanceModel model_;
  bool paused_ = false;
  std::uint32_t moves_ = 0;              // under way, with those of this plan
  std::vector<std::uint32_t> moves_of_;  // by node
  std::uint32_t transfers_ = 0;
  std::vector<std::vector<Change>> changes_;    // by shard, in order
  std::vector<char> noted_;                     // by shard: whether it is in order_
  std::vector<BalanceReason> leader_reason_;    // by shard
  std::vector<int> order_;                      // shards in the order of their first change
  std::vector<std::vector<int>> first_places_;  // by shard
  std::vector<BalanceStep> abandoned_;
  std::vector<BalanceStep> transferred_;
  std::vector<BalanceHeld> held_;
};

}  // namespace troupe::cluster
