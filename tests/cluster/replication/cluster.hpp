// Several nodes with one replica each, joined by a network that delays, cuts and forgets.
#pragma once

#include <doctest/doctest.h>

#include <set>

#include "cluster/replication/raft_codec.hpp"
#include "tests/cluster/replication/world.hpp"

namespace troupe::cluster::test {

class Cluster {
 public:
  // `spare` nodes at the end are not placed in the group.
  explicit Cluster(Pump& world, int size = 3, RaftOptions options = {}, int spare = 0)
      : pump(world) {
    for (int i = 0; i < size; ++i)
      places.push_back({static_cast<std::uint64_t>(i + 1), "n" + std::to_string(i + 1)});
    options.voters = [this](auto) { return places; };
    for (int i = 0; i < size + spare; ++i) {
      options.node = "n" + std::to_string(i + 1);
      options.may_create = i < size;
      nodes.push_back(std::make_unique<Node>(pump, options, 1000 + i));
      wires_.push_back(std::make_unique<Wire>(*this, i));
      exchanges.push_back(std::make_unique<RaftExchange>(*wires_[i], nodes[i]->platform.log()));
      nodes[i]->options().exchange = exchanges[i].get();
    }
  }
  ~Cluster() {
    for (auto& node : nodes) node->stop();
  }

  Node& operator[](int i) { return *nodes[i]; }
  int size() const { return static_cast<int>(nodes.size()); }
  void start() {
    for (auto& node : nodes) node->start();
  }

  // The node that leads in the highest term; -1: none.
  int leader() const {
    int best = -1;
    for (int i = 0; i < size(); ++i) {
      if (nodes[i]->group && nodes[i]->witness.leading != 0 &&
          (best < 0 || nodes[i]->witness.leading > nodes[best]->witness.leading))
        best = i;
    }
    return best;
  }
  bool elect(Duration patience = std::chrono::seconds(10)) {
    return pump.run_while_not([this] { return leader() >= 0; }, patience);
  }
  // Until another node leads than this one; returns which.
  int elect_another(int than) {
    REQUIRE(pump.run_while_not([&] { return leader() >= 0 && leader() != than; }));
    return leader();
  }
  // Starts all, and returns the leader, which has committed this everywhere and is cut off.
  int settle_and_cut_off_leader(const std::string& text) {
    start();
    REQUIRE(elect());
    const int at = leader();
    REQUIRE(nodes[at]->commit(text));
    pump.run_for(std::chrono::seconds(1));
    cut_off(at);
    return at;
  }
  // Crashes the node, and gives it an empty disk.
  void lose_disk(int i) {
    nodes[i]->crash();
    nodes[i]->log.lose();
    nodes[i]->options().may_create = false;
  }
  // Until it holds; as shards do, replicas with a new file are started again.
  bool run_until(const std::function<bool()>& condition,
                 Duration patience = std::chrono::seconds(60)) {
    for (const Duration end = pump.now() + patience; !condition();) {
      if (pump.now() >= end) return false;
      pump.run_for(std::chrono::milliseconds(5));
      for (auto& node : nodes)
        if (node->group && node->witness.replaced != 0)
          node->start(node->stored().record->snapshot_index);
    }
    return true;
  }
  // As many voters as places, one on each, all of which run, and the leader knows it.
  bool complete() const {
    const int at = leader();
    if (at < 0) return false;
    const auto members = nodes[at]->group->members();
    if (members.size() != places.size()) return false;
    for (const RaftMember& member : members) {
      const auto& node = nodes[std::stoi(member.node.substr(1)) - 1];
      if (!member.voter || !node->group || node->group->members() != members ||
          node->group->status().replica != member.replica)
        return false;
    }
    return true;
  }
  void cut_off(int node) { isolated_.insert(node); }
  void reconnect() { isolated_.clear(); }

  // All replicas that run have handed out the same entries, up to the leader's last.
  bool agree() const {
    const int at = leader();
    if (at < 0) return false;
    const auto& reference = nodes[at]->witness.committed;
    if (reference.empty() || reference.back().index != nodes[at]->group->status().last)
      return false;
    for (const auto& node : nodes) {
      if (node->group && node->witness.committed != reference) return false;
    }
    return true;
  }

  Pump& pump;
  std::vector<RaftVoter> places;
  std::vector<std::unique_ptr<Node>> nodes;
  Duration latency = std::chrono::milliseconds(2);
  unsigned lost_of_1000 = 0;
  std::uint64_t messages = 0;

  // Of messages that would arrive, those for which this holds are lost.
  std::function<bool(const RaftMessage&)> lost;

  std::vector<std::unique_ptr<RaftExchange>> exchanges;

 private:
  struct Wire final : RaftTransport {
    Wire(Cluster& all, int number) : cluster(all), from(number) {}
    void send(const std::string& node, Lane, std::string bytes) override {
      cluster.carry(from, std::stoi(node.substr(1)) - 1, std::move(bytes));
    }
    Cluster& cluster;
    const int from;
  };

  void carry(int from, int to, std::string bytes) {
    ++messages;
    const auto message = decode(bytes);
    REQUIRE(message);
    REQUIRE(encode(*message) == bytes);
    must_be_durable(*message, *nodes[from]);
    if (isolated_.count(from) || isolated_.count(to)) return;
    random_ = random_ * 6364136223846793005ull + 1442695040888963407ull;
    if ((random_ >> 33) % 1000 < lost_of_1000) return;
    if (lost && lost(*message)) return;
    const Duration delay = latency + std::chrono::microseconds((random_ >> 40) % 500);
    pump.after(delay, [this, from, to, bytes = std::move(bytes)] {
      exchanges[to]->received(nodes[from]->options().node, bytes);
    });
  }

  // What a message promises must be on its sender's disk when it leaves.
  void must_be_durable(const RaftMessage& message, Node& from) {
    const auto& stored = from.stored();
    REQUIRE(stored.record);
    REQUIRE(stored.record->replica == message.from);
    const EngineMessage& head = message.head;
    const bool pre_vote = (head.type == ENGINE_REQUEST_VOTE && head.vote.pre_vote) ||
                          (head.type == ENGINE_REQUEST_VOTE_RESULT && head.vote_result.pre_vote);
    if (!pre_vote) REQUIRE(head.term <= stored.record->term);
    if (head.type == ENGINE_APPEND_ENTRIES) REQUIRE(from.group->status().term == head.term);
    if (pre_vote || head.term < stored.record->term) return;
    if (head.type == ENGINE_REQUEST_VOTE) REQUIRE(stored.record->vote == message.from);
    if (head.type == ENGINE_REQUEST_VOTE_RESULT && head.vote_result.granted)
      REQUIRE(stored.record->vote == message.to);
    if (head.type == ENGINE_APPEND_ENTRIES_RESULT && head.append_result.rejected == 0)
      REQUIRE(head.append_result.last_index <=
              std::max(from.log.last_index(Node::group_id), stored.record->snapshot_index));
  }

  std::vector<std::unique_ptr<Wire>> wires_;
  std::set<int> isolated_;
  std::uint64_t random_ = 42;
};

}  // namespace troupe::cluster::test
