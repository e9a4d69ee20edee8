// Three replicas that are cut off, crash, run out of space and hear nonsense.
#include <doctest/doctest.h>

#include "tests/cluster/replication/cluster.hpp"
#include "tests/seeds.hpp"

using namespace troupe;
using namespace troupe::cluster;
using namespace troupe::cluster::test;
using namespace std::chrono_literals;
using Texts = std::vector<std::string>;

TEST_SUITE_BEGIN("raft group of three voters under faults");

TEST_CASE("a deposed leader's entries are replaced, and it acknowledges none of them") {
  Pump pump;
  Cluster cluster(pump);
  const int old = cluster.settle_and_cut_off_leader("kept");
  // Stored on the old leader, but late: the completion arrives when they are replaced already.
  cluster[old].log.latency = 20ms;
  for (int i = 0; i < 10; ++i) REQUIRE(cluster[old].propose("never" + std::to_string(i)) != 0);
  const int leader = cluster.elect_another(old);
  REQUIRE(cluster[leader].commit("instead"));
  REQUIRE(pump.run_while_not([&] { return cluster[old].witness.leading == 0; }));
  REQUIRE(cluster[old].witness.losses.size() == 1);
  CHECK(cluster[old].witness.losses[0].reason == "NOT_LEADING");
  cluster[old].log.hold_up();
  cluster.reconnect();
  pump.run_for(2s);  // it knows that "instead" is committed, but does not hold it on disk
  CHECK(cluster[old].group->status().commit == cluster[leader].group->status().commit);
  CHECK(cluster[old].witness.payloads() == Texts{"kept"});
  cluster[old].log.go_on();
  REQUIRE(pump.run_while_not([&] { return cluster.agree(); }));
  CHECK(cluster[old].witness.payloads() == Texts{"kept", "instead"});
  pump.run_for(1s);
  const auto& entries = cluster[old].stored().entries;
  CHECK(entries.rbegin()->first == cluster[leader].stored().entries.rbegin()->first);
  for (const auto& [index, entry] : entries)
    CHECK(entry.term == cluster[leader].stored().entries.at(index).term);
}

TEST_CASE("a completion of entries that were truncated meanwhile acknowledges only what is left") {
  Pump pump;
  Cluster cluster(pump);
  const int old = cluster.settle_and_cut_off_leader("kept");
  cluster[old].log.hold_up();
  for (int i = 0; i < 10; ++i) REQUIRE(cluster[old].propose("never") != 0);
  const int leader = cluster.elect_another(old);
  REQUIRE(cluster[leader].commit("instead"));
  REQUIRE(cluster[leader].commit("and more"));
  cluster.reconnect();
  pump.run_for(2s);  // the new entries have reached the old leader, none is durable there
  CHECK(cluster[old].group->status().last == cluster[leader].group->status().last);
  CHECK(cluster[old].witness.payloads() == Texts{"kept"});
  // Whether the leader counts the old one's log now is seen by taking the third node away.
  const int third = 3 - old - leader;
  cluster.cut_off(third);
  const auto index = cluster[leader].propose("needs two");
  REQUIRE(index != 0);
  pump.run_for(100ms);
  CHECK(cluster[leader].witness.committed.back().index < index);
  cluster[old].log.go_on();
  pump.run_for(200ms);
  CHECK(cluster[leader].witness.committed.back().index >= index);
  cluster.reconnect();
  REQUIRE(pump.run_while_not([&] { return cluster.agree(); }));
  CHECK(cluster[old].witness.payloads() == Texts{"kept", "instead", "and more", "needs two"});
}

// A replica that starts does not know how far the group had come: its shard file may.
TEST_CASE("a log is cut no further than what is known to be committed") {
  Pump pump;
  Cluster cluster(pump, 3, {.snapshot_threshold = 2});
  cluster.start();
  REQUIRE(cluster.elect());
  cluster[cluster.leader()].commit_many(5);
  pump.run_for(1s);
  const int alone = (cluster.leader() + 1) % 3;
  Node& node = cluster[alone];
  const auto last = node.witness.committed.back();
  node.crash();
  cluster.cut_off(alone);
  node.start(last.index);
  pump.run_for(1s);
  node.group->checkpointed(last.index, last.term, 1);
  pump.run_for(1s);
  CHECK(node.witness.failed.empty());
  CHECK(node.stored().record->snapshot_index < last.index);
  cluster.reconnect();
  pump.run_for(1s);
  node.group->checkpointed(last.index, last.term, 1);
  pump.run_for(1s);
  CHECK(node.stored().record->snapshot_index == last.index);
}

TEST_CASE(
    "two of three elect a leader though one has the longer log and the other the later term") {
  Pump pump;
  Cluster cluster(pump);
  cluster.start();
  REQUIRE(cluster.elect());
  REQUIRE(cluster[cluster.leader()].commit("a"));
  pump.run_for(1s);
  for (int i = 0; i < 3; ++i) cluster[i].crash();
  auto& longer = cluster[0].stored();
  const auto index = longer.entries.rbegin()->first + 1;
  longer.record->term = 8;
  longer.entries[index] = {index, 8, ENGINE_BARRIER, nullptr};
  cluster[1].stored().record->term = 11;
  for (int i = 0; i < 2; ++i) cluster[i].start();
  cluster[2].witness.leading = 0;
  REQUIRE(cluster.elect());
  CHECK(cluster.leader() == 0);
  CHECK(cluster[0].witness.leading > 11);
}

TEST_CASE("no vote leaves before it is durable") {
  Pump pump;
  Cluster cluster(pump);
  cluster.start();
  pump.run_for(50ms);  // created, nobody has stood for election
  REQUIRE(cluster.leader() < 0);
  for (int i = 0; i < 3; ++i) cluster[i].log.hold_up();
  pump.run_for(20s);
  CHECK(cluster.leader() < 0);
  for (int i = 0; i < 3; ++i) {
    CHECK(cluster[i].stored().record->term == 1);
    CHECK(cluster[i].group->status().role != "leader");
    cluster[i].log.go_on();
  }
  REQUIRE(cluster.elect());
}

TEST_CASE("a full disk on the leader hands the group to others, on a follower it harms nobody") {
  Pump pump;
  Cluster cluster(pump);
  cluster.start();
  REQUIRE(cluster.elect());
  const int old = cluster.leader();
  cluster[old].log.full = true;
  REQUIRE(cluster[old].propose("elsewhere or lost") != 0);
  cluster.elect_another(old);
  // A reason to ask another replica: RESOURCE_EXHAUSTED would be the answer of the whole group.
  CHECK(cluster[old].witness.losses.back().code == Code::unavailable);
  CHECK(cluster[old].witness.losses.back().reason == "REPLICA_DISK_FULL");
  const int leader = cluster.leader();
  REQUIRE(cluster[leader].commit("with two of three"));
  pump.run_for(10s);
  CHECK(cluster.leader() == leader);
  cluster[old].log.full = false;
  REQUIRE(pump.run_while_not([&] { return cluster.agree(); }));
  CHECK(cluster[old].witness.failed.empty());
}

TEST_CASE("a replica that could not store its vote takes part again when there is space") {
  Pump pump;
  Cluster cluster(pump);
  cluster.start();
  REQUIRE(cluster.elect());
  const int old = cluster.leader();
  REQUIRE(cluster[old].commit("a"));
  pump.run_for(1s);
  for (int i = 0; i < 3; ++i) cluster[i].log.full = i != old;
  cluster.cut_off(old);
  pump.run_for(10s);
  CHECK(cluster.leader() < 0);
  for (int i = 0; i < 3; ++i) cluster[i].log.full = false;
  REQUIRE(cluster.elect());
  REQUIRE(cluster[cluster.leader()].commit("b"));
}

TEST_CASE("messages for another group or an earlier replica are dropped, nonsense is refused") {
  Pump pump;
  Cluster cluster(pump);
  cluster.start();
  REQUIRE(cluster.elect());
  Node& node = cluster[cluster.leader()];
  const auto before = node.group->status();
  RaftMessage message;
  message.group = Node::group_id;
  message.from = 2;
  message.to = node.group->status().replica;
  if (message.from == message.to) message.from = 3;
  message.head.type = ENGINE_APPEND_ENTRIES;
  message.head.term = 99;
  auto other_group = message;
  other_group.group = 8;
  node.group->receive(other_group);
  auto other_replica = message;
  other_replica.to = 77;
  node.group->receive(other_replica);
  auto ourselves = message;
  ourselves.from = message.to;
  node.group->receive(ourselves);
  auto same_term = message;
  same_term.head.term = before.term;
  node.group->receive(same_term);
  auto hole = message;
  hole.head.append.prev_index = 5;  // without its term
  node.group->receive(hole);
  auto unknown = message;
  unknown.head.type = 99;
  node.group->receive(unknown);
  auto rotten = message;
  rotten.entries.push_back({1, 1, ENGINE_CHANGE, bytes("rotten")});
  node.group->receive(rotten);
  CHECK(node.group->status().term == before.term);
  CHECK(node.group->status().role == "leader");
  CHECK(node.witness.failed.empty());
}

TEST_CASE("under loss, crashes and cuts nothing that was committed changes") {
  std::size_t acknowledged_in_all = 0;
  constexpr auto seeds = tests::seeds(40);
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    CAPTURE(seed);
    Pump pump;
    Cluster cluster(pump, 3, {.snapshot_threshold = 20, .tail_bytes_max = 200});
    FakePlatform dice_platform(pump, seed);
    auto& dice = dice_platform.random();
    cluster.lost_of_1000 = static_cast<unsigned>(dice.between(0, 100));
    cluster.start();
    std::map<runtime::LogIndex, Witness::Entry> truth;
    const auto check = [&] {
      for (auto& node : cluster.nodes) {
        for (const auto& entry : node->witness.committed) {
          const auto [at, fresh] = truth.try_emplace(entry.index, entry);
          if (!(at->second == entry)) FAIL("entry ", entry.index, " has changed");
        }
        REQUIRE(node->witness.failed.empty());
      }
    };
    std::vector<std::pair<runtime::LogIndex, std::string>> acknowledged;
    int number = 0;
    for (int round = 0; round < 60; ++round) {
      const int victim = static_cast<int>(dice.between(0, 2));
      Node& node = cluster[victim];
      switch (dice.between(0, 5)) {
        case 0:
          if (node.group) node.crash();
          break;
        case 1:
          cluster.cut_off(victim);
          break;
        case 2:
          cluster.reconnect();
          break;
        case 3:
          node.log.full = !node.log.full;
          break;
        default:
          cluster[static_cast<int>(dice.between(0, 2))].log.full = false;
          for (int i = 0; i < 3; ++i) {
            if (!cluster[i].group) cluster[i].start();
          }
      }
      const int leader = cluster.leader();
      if (leader >= 0) {
        const auto term = cluster[leader].witness.leading;
        for (int i = 0; i < 10; ++i) {
          const std::string text = std::to_string(++number);
          const auto index = cluster[leader].propose(text);
          if (index == 0) break;
          pump.run_for(std::chrono::milliseconds(dice.between(0, 20)));
          if (!cluster[leader].group) break;
          const auto& committed = cluster[leader].witness.committed;
          if (!committed.empty() && committed.back().index >= index &&
              cluster[leader].witness.leading == term)
            acknowledged.push_back({index, text});
        }
      }
      pump.run_for(std::chrono::milliseconds(dice.between(0, 700)));
      check();
    }
    cluster.reconnect();
    cluster.lost_of_1000 = 0;
    for (int i = 0; i < 3; ++i) {
      cluster[i].log.full = false;
      if (!cluster[i].group) cluster[i].start();
    }
    REQUIRE(pump.run_while_not([&] {
      const int leader = cluster.leader();
      return leader >= 0 && cluster[leader].propose("end") != 0;
    }));
    pump.run_for(10s);
    check();
    acknowledged_in_all += acknowledged.size();
    for (const auto& [index, text] : acknowledged) {
      REQUIRE(truth.count(index) == 1);
      CHECK(truth.at(index).payload == text);
    }
    for (int i = 0; i < 3; ++i)
      CHECK(cluster[i].witness.payloads() == cluster[0].witness.payloads());
  }
  CHECK(acknowledged_in_all > 50 * seeds);
}

TEST_SUITE_END();
