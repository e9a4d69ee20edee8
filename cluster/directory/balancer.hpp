// Says what should move in a cluster, and why. A pure function of what it is told: no I/O, no
// clock, no random numbers; the same input gives the same plan.
//
// The directory asks next_steps() about once a second and carries out what it answers; a person
// asks plan_balance() for all that would come (`troupe rebalance --plan`). Both run the same rules
// in this order:
//
//   1. A move that is past its deadline, or whose new node is gone or draining, is abandoned: the
//      places become those that there are. A node that was there and took too long the shard does
//      not try again for a while; after two shards' moves to it, no shard does.
//   2. Shards that are nowhere get their places: all that the factor asks for, or what there is
//   once
//      no node is joining or may come back.
//   3. Replicas on nodes that are down for longer than the repair delay are replaced, those of
//      shards that can lose the fewest more first.
//   4. Draining nodes, and nodes that no longer host a service, are emptied: leaders first.
//   5. Shards have as many replicas as their factor says.
//   6. Replicas of one shard are in different zones and regions, as far as there are any.
//   7. Replicas, then leaders, are spread by capacity.
//   8. Leadership goes to where the wish wants it.
//
// What counts as even: a replica weighs what it holds and a leader what it does, each with a fixed
// part for being one, relative to the mean of all shards. A node's share is the sum over its
// replicas (leaders), divided by its capacity. Two sums of squares are to become small, that of all
// shares and, with less weight, that of each service's counts; every move has to lower their total,
// which is why moves end and none is taken back. And there has to be a reason: a node that is off
// the mean by more than `tolerance`, all in all or in its part of the service, and, for the sake of
// a load, by clearly more than what would be moved. That is what CockroachDB's allocator
// (convergence within a threshold around the mean), PD's balance schedulers (tolerant ratio,
// influence of what is under way) and Cruise Control (goals one after another, caps on concurrent
// movements) come down to, without scores of several kinds to be weighed.
//
// 6 and 7 wait, and 8 but for draining nodes, while a node is down that may still come back, or has
// just come up: a rolling restart moves no replica. Nothing is done to a shard while a move of it
// is under way, while nobody leads it, or while no majority of its members lives; and 6 and 7 leave
// a shard alone that has a member which is not live.
//
// A wish changes by one replica at a time, and never to places of which no majority lives. Whoever
// carries it out removes a dead replica before adding another, adds before removing a live one, and
// removes none that the majority needs (architecture.md, Identity of replicas): then a step can
// end, or be abandoned, at any point.
//
// Cost, one core of a small virtual machine, -O2, 50 nodes and 1,000 shards of three replicas: 4 to
// 7 ms when there is nothing to do, 2 to 11 ms for next_steps() when there is, 5 to 67 ms for a
// whole plan (the most: five nodes join three zones, and 292 steps follow).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/time.hpp"

namespace troupe::cluster {

// Times are those of one clock that does not step back over the life of the cluster: the
// directory's shard time, so that a new leader of the directory goes on with the same.
struct BalanceNode {
  enum class State : std::uint8_t { joining, up, draining, down };

  std::string name;
  std::string region;  // labels; a node with neither of the two is a zone and a region of its own
  std::string zone;
  double capacity = 1;  // relative to other nodes'; 0 or less: gets nothing
  State state = State::up;
  WallTime since{};  // of the state
  bool cordoned = false;
  std::vector<std::string> services;  // hosted; of a node that is down: what it hosted last
  double cpu_share = 0;               // of its processors that is busy, 0 to 1; a mean of minutes
};

struct BalanceShard {
  std::string service;
  std::uint32_t shard = 0;
  std::uint32_t factor = 1;
  std::vector<std::string> places;  // the wish, preferred leader first; empty: nowhere yet
  // By the leader's last report: the nodes of the voters. Empty: no report yet.
  std::vector<std::string> members;
  // The leader knew the wish when it reported. Otherwise it may have made another node a member
  // since, by the wish before.
  bool knows_wish = true;
  std::string leader;              // node; empty: none, as far as is known
  double commands_per_second = 0;  // means of minutes
  std::uint64_t bytes = 0;         // of one replica
  // When the wish was last changed to other nodes, until a report says that it has come true.
  // Without it a move that is under way (places and members differ) has no deadline.
  std::optional<WallTime> moving_since;
  // Nodes that steps with `avoids` took away from the wish, and when.
  struct Avoided {
    std::string node;
    WallTime since{};
  };
  std::vector<Avoided> avoided;
};

struct BalanceOptions {
  Duration repair_delay = std::chrono::minutes{5};    // down for so long: does not come back
  Duration settle = std::chrono::seconds{10};         // up for so long: counts as up
  Duration step_deadline = std::chrono::minutes{10};  // for one change of a wish to come true
  Duration avoid_for = std::chrono::minutes{10};      // a node, after a move to it was abandoned
  std::uint32_t moves_max = 8;                        // at once in the cluster
  std::uint32_t moves_per_node_max = 2;  // at once, as the new place or as the leader that sends
  std::uint32_t transfers_max = 16;      // of leadership, in one answer
  double tolerance = 0.05;               // of the mean, see above
  double cpu_max = 0.85;                 // beyond it a node gets nothing for the sake of evenness
  // Otherwise nothing moves but what is placed, drained or abandoned, or what a factor asks for.
  bool balancing = true;
};

struct BalanceInput {
  std::vector<BalanceNode> nodes;  // names are unique
  std::vector<BalanceShard> shards;
  BalanceOptions options;
  WallTime now{};
};

enum class BalanceReason : std::uint8_t {
  placed,      // is nowhere yet
  abandoned,   // the move to `from` did not come true, which is to be avoided; or that from `to`
  repair,      // `from` is dead
  drain,       // `from` is draining
  not_hosted,  // `from` does not host the service any more
  factor,      // more or fewer replicas
  spread,      // zones and regions
  replicas,    // `from` has more than its share, or `to` less
  leaders,     // the same of leaders
  preferred,   // leadership goes to the node that the wish names first
};

// A change of a wish (set_places), or an order to hand leadership over to `to` (transfer_leader).
struct BalanceStep {
  enum class Kind : std::uint8_t { set_places, transfer_leader };

  Kind kind = Kind::set_places;
  std::string service;
  std::uint32_t shard = 0;
  std::vector<std::string> places;  // set_places: the new wish, preferred leader first
  // The one replica that moves; empty `from`: one more, empty `to`: one fewer, both: placed. Where
  // `leads`, no replica moves: these are the old and the new (preferred) leader.
  std::string from;
  std::string to;
  bool leads = false;
  bool avoids = false;  // abandoned: `from` was there and did not take the replica in time
  BalanceReason reason = BalanceReason::placed;
};

// What should happen and cannot: for people.
struct BalanceHeld {
  std::string service;
  std::uint32_t shard = 0;
  std::string node;  // empty: none in particular
  std::string why;   // a sentence without a full stop
};

struct BalancePlan {
  std::vector<BalanceStep> steps;  // in this order
  std::vector<BalanceHeld> held;
  std::string waits_for;  // a node for whose return balancing waits; empty: none
};

// All steps, as if each came true at once; of one shard there may be several.
BalancePlan plan_balance(const BalanceInput& input);

// What is to be done now: within the limits, at most one step for each shard.
BalancePlan next_steps(const BalanceInput& input);

// What a node still has. It may stop without loss when that is nothing.
struct LeftOnNode {
  std::uint32_t wished = 0;   // shards whose wish names it
  std::uint32_t members = 0;  // shards of whose members it is one, by the last report
  std::uint32_t leaders = 0;
  std::uint32_t unknown = 0;  // shards without a report, which may have it as a member
  bool nothing() const { return wished + members + leaders + unknown == 0; }
};
LeftOnNode left_on_node(const BalanceInput& input, const std::string& node);

std::string to_string(BalanceReason reason);  // "repair", "not hosted", ...
// Why, for people: "n3 is down for too long".
std::string why(const BalanceStep& step);

}  // namespace troupe::cluster
