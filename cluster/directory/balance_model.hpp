// The cluster of a BalanceInput with numbers for names, on which a plan is tried out: who has what,
// how full everybody is, what a change would gain. Knows no order of things and no limits: those
// are balancer.cpp's.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "cluster/directory/balancer.hpp"

namespace troupe::cluster {

class BalanceModel {
 public:
  static constexpr int none = -1;

  struct Node {
    std::string name;
    double capacity = 1;
    int zone = 0;
    int region = 0;
    bool lives = false;  // up, joining or draining
    bool dead = false;   // does not come back
    bool drains = false;
    bool open = false;     // may get replicas and leaders
    bool settled = false;  // ... and has been up for long enough to be relied on
    bool hot = false;      // its processors are busy
    bool shunned = false;  // moves of several shards to it were abandoned
    double replicas = 0;   // weights of what is placed here
    double leaders = 0;
    std::vector<int> shards;    // placed here, in no order
    std::uint64_t changes = 0;  // counts what could make another move from or to here possible
  };

  struct Service {
    std::vector<char> hosted;      // by node
    std::vector<int> rank;         // by node: decides between equals; another one for each service
    std::vector<double> replicas;  // by node: counts
    std::vector<double> leaders;
  };

  struct Shard {
    int service = 0;
    std::size_t factor = 1;
    double replica_weight = 1;
    double leader_weight = 1;
    std::vector<int> places;
    std::vector<int> members;
    int leader = none;
    std::vector<int> avoided;
    bool moves = false;     // places and members differ
    bool majority = false;  // lives
    bool fresh = false;     // was nowhere: may be placed freely
    bool waits = false;     // is to be left alone

    bool at(int node) const;
  };

  explicit BalanceModel(const BalanceInput& input);

  int nodes() const { return static_cast<int>(nodes_.size()); }
  int shards() const { return static_cast<int>(shards_.size()); }
  const Node& node(int n) const { return nodes_[static_cast<std::size_t>(n)]; }
  const Shard& shard(int s) const { return shards_[static_cast<std::size_t>(s)]; }
  Shard& shard(int s) { return shards_[static_cast<std::size_t>(s)]; }
  bool hosted(int s, int n) const;
  // A node for whose return, or settling, balancing waits; none: there is none.
  int awaited() const { return awaited_; }
  // Whether there are nodes that join or may come back.
  bool expects_nodes() const { return expects_nodes_; }
  std::size_t open_hosts(int s) const;

  // A replica goes from one node to another; `from` none: one more, `to` none: one fewer. If it was
  // the preferred leader, the one that leads becomes that, else the node with the smallest share.
  void replace(int s, int from, int to);
  // The preferred leader becomes `node`, one of the places, or the one that replace() would choose.
  void lead(int s, int node);
  void lead_best(int s);
  // What the sums of squares grow by if the node leads one more like this shard.
  double leader_cost(const Shard& shard, int node) const;

  // Whether the shard may have a replica there as far as service, places and abandoned moves go.
  bool may_have(int s, int n) const;
  // How much a replica on `node` has in common with the others but `without`: 2 for each in the
  // same zone, 1 for each in the same region only.
  int closeness(int s, int node, int without) const;
  // The best node to have a replica in place of `without`, or one more; none: no node can.
  int best_target(int s, int without) const;

  // How much smaller the sums of squares become; 0 where that is no gain, or where nobody is off
  // the mean by more than is tolerated.
  double replica_gain(int s, int from, int to) const;
  double leader_gain(int s, int to) const;
  // A node's replicas by its capacity.
  double fullness(int n) const { return node(n).replicas / node(n).capacity; }
  // Means are those of nodes that are open; they do not change by moves between these.
  void measure_means();

 private:
  struct Side {
    double share = 0;  // weights
    double count = 0;  // of the service
    double capacity = 1;
  };
  struct Means {
    double replicas = 0;
    double leaders = 0;
  };

  void add_nodes(const BalanceInput& input);
  void add_services(const BalanceInput& input);
  void add_shards(const BalanceInput& input);
  int find(const std::string& name) const;
  int best_leader(const Shard& shard) const;
  static void put_first(Shard& shard, int n);
  void count(const Shard& shard, int n, double sign);
  void count_leader(const Shard& shard, double sign);
  bool off(double high, double low, double mean) const;
  double gain(const Side& from, const Side& to, double weight, double mean,
              double service_mean) const;
  Node& at(int n) { return nodes_[static_cast<std::size_t>(n)]; }

  std::vector<Node> nodes_;  // by name
  std::vector<Service> services_;
  std::vector<Shard> shards_;  // as in the input
  Means mean_;
  std::vector<Means> service_means_;
  double tolerance_ = 0;
  int awaited_ = none;
  bool expects_nodes_ = false;
};

}  // namespace troupe::cluster
