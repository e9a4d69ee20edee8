// Three replicas in one process, on virtual time.
#include <doctest/doctest.h>

#include "cluster/replication/configuration.h"
#include "tests/cluster/replication/cluster.hpp"

using namespace troupe;
using namespace troupe::cluster;
using namespace troupe::cluster::test;
using namespace std::chrono_literals;
using Texts = std::vector<std::string>;

TEST_SUITE_BEGIN("raft group of three voters");

TEST_CASE("three voters elect one leader and replicate what it is given") {
  Pump pump;
  Cluster cluster(pump);
  cluster.start();
  REQUIRE(cluster.elect());
  const int leader = cluster.leader();
  CHECK_FALSE(cluster[leader].group->sole_voter());
  for (int i = 0; i < 500; ++i) REQUIRE(cluster[leader].propose(std::to_string(i)) != 0);
  REQUIRE(pump.run_while_not([&] { return cluster.agree(); }));
  CHECK(cluster[leader].witness.payloads().size() == 500);
  for (int i = 0; i < 3; ++i) {
    CHECK(cluster[i].witness.elections == (i == leader ? 1 : 0));
    CHECK(cluster[i].stored().entries.size() == cluster[leader].stored().entries.size());
    CHECK(cluster[i].witness.failed.empty());
    CHECK(cluster[i].group->status().role == (i == leader ? "leader" : "follower"));
  }
}

TEST_CASE("the same seeds give the same run") {
  std::vector<std::uint64_t> runs;
  for (int run = 0; run < 2; ++run) {
    Pump pump;
    Cluster cluster(pump);
    cluster.lost_of_1000 = 50;
    cluster.start();
    REQUIRE(cluster.elect());
    REQUIRE(cluster[cluster.leader()].propose("x") != 0);
    pump.run_for(5s);
    runs.push_back(cluster.messages);
    runs.push_back(static_cast<std::uint64_t>(cluster.leader()));
  }
  CHECK(runs[0] == runs[2]);
  CHECK(runs[1] == runs[3]);
}

TEST_CASE("when the leader dies another takes over within four election time-outs") {
  Pump pump;
  Cluster cluster(pump);
  cluster.start();
  REQUIRE(cluster.elect());
  for (int round = 0; round < 5; ++round) {
    const int old = cluster.leader();
    REQUIRE(cluster[old].commit("round " + std::to_string(round)));
    cluster[old].crash();
    CHECK(cluster.elect(4 * 300ms));
    const int leader = cluster.leader();
    REQUIRE(leader >= 0);
    REQUIRE(cluster[leader].commit("after " + std::to_string(round)));
    cluster[old].start();
    REQUIRE(pump.run_while_not([&] { return cluster.agree(); }));
  }
  CHECK(cluster[cluster.leader()].witness.payloads().size() == 10);
}

TEST_CASE("a deposed leader's entries are replaced, and it acknowledges none of them") {
  Pump pump;
  Cluster cluster(pump);
  cluster.start();
  REQUIRE(cluster.elect());
  const int old = cluster.leader();
  REQUIRE(cluster[old].commit("kept"));
  pump.run_for(1s);
  cluster.cut_off(old);
  // Stored on the old leader, but late: the completion arrives when they are replaced already.
  cluster[old].log.latency = 20ms;
  for (int i = 0; i < 10; ++i) REQUIRE(cluster[old].propose("never" + std::to_string(i)) != 0);
  REQUIRE(pump.run_while_not([&] { return cluster.leader() >= 0 && cluster.leader() != old; }));
  const int leader = cluster.leader();
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
  cluster.start();
  REQUIRE(cluster.elect());
  const int old = cluster.leader();
  REQUIRE(cluster[old].commit("kept"));
  pump.run_for(1s);
  cluster.cut_off(old);
  cluster[old].log.hold_up();
  for (int i = 0; i < 10; ++i) REQUIRE(cluster[old].propose("never") != 0);
  REQUIRE(pump.run_while_not([&] { return cluster.leader() >= 0 && cluster.leader() != old; }));
  const int leader = cluster.leader();
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

TEST_CASE("without a majority nothing commits, and the leader steps down") {
  Pump pump;
  Cluster cluster(pump);
  cluster.start();
  REQUIRE(cluster.elect());
  const int leader = cluster.leader();
  for (int i = 0; i < 3; ++i)
    if (i != leader) cluster[i].crash();
  REQUIRE(cluster[leader].propose("lonely") != 0);
  bool confirmed = true;
  cluster[leader].group->confirm_leadership([&](const auto& result) { confirmed = bool(result); });
  pump.run_for(5s);
  CHECK(cluster[leader].witness.leading == 0);
  CHECK(cluster[leader].witness.payloads().empty());
  CHECK_FALSE(confirmed);
  CHECK(cluster[leader].group->propose(bytes("x")).error().reason == "NOT_LEADING");
}

TEST_CASE("leadership is confirmed by the others, never by a leader that was cut off") {
  Pump pump;
  Cluster cluster(pump);
  cluster.start();
  REQUIRE(cluster.elect());
  const int leader = cluster.leader();
  int yes = 0;
  cluster[leader].group->confirm_leadership([&](const auto& result) { yes += bool(result); });
  CHECK(yes == 0);
  pump.run_for(100ms);
  CHECK(yes == 1);
  cluster.cut_off(leader);
  int no = 0;
  cluster[leader].group->confirm_leadership([&](const auto& result) {
    yes += bool(result);
    no += !result;
  });
  pump.run_for(10s);
  CHECK(yes == 1);
  CHECK(no == 1);
}

TEST_CASE("a follower that was away is brought up from the leader's log on disk") {
  Pump pump;
  Cluster cluster(pump, 3, {.tail_bytes_max = 1000});
  cluster.start();
  REQUIRE(cluster.elect());
  const int leader = cluster.leader();
  const int away = (leader + 1) % 3;
  cluster[away].crash();
  for (int i = 0; i < 300; ++i) REQUIRE(cluster[leader].propose(std::string(100, 'x')) != 0);
  pump.run_for(1s);
  CHECK(cluster[leader].witness.payloads().size() == 300);
  const auto reads = cluster[leader].log.reads;
  cluster[away].start();
  REQUIRE(pump.run_while_not([&] { return cluster.agree(); }));
  CHECK(cluster[leader].log.reads > reads);
  CHECK(cluster[away].witness.payloads().size() == 300);
}

TEST_CASE(
    "entries that were read for a follower are not sent by a leader that was deposed meanwhile") {
  Pump pump;
  Cluster cluster(pump, 3, {.tail_bytes_max = 0});
  cluster.start();
  REQUIRE(cluster.elect());
  const int old = cluster.leader();
  const int away = (old + 1) % 3;
  cluster[away].crash();
  for (int i = 0; i < 20; ++i) REQUIRE(cluster[old].commit("x"));
  cluster[old].platform.queue_latency = 3s;
  cluster[away].start();
  const auto reads = cluster[old].log.reads;
  pump.run_for(500ms);
  cluster.cut_off(old);
  REQUIRE(pump.run_while_not([&] { return cluster.leader() >= 0 && cluster.leader() != old; }));
  cluster.reconnect();
  pump.run_for(10s);  // the cluster checks the term of every message
  CHECK(cluster[old].log.reads > reads);
  REQUIRE(pump.run_while_not([&] { return cluster.agree(); }));
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
  REQUIRE(pump.run_while_not([&] { return cluster.leader() >= 0 && cluster.leader() != old; }));
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

TEST_CASE("logs are cut on every replica, and all of them start again from their snapshots") {
  Pump pump;
  Cluster cluster(pump, 3, {.snapshot_threshold = 10});
  cluster.start();
  REQUIRE(cluster.elect());
  for (int i = 0; i < 50; ++i) REQUIRE(cluster[cluster.leader()].propose("x") != 0);
  REQUIRE(pump.run_while_not([&] { return cluster.agree(); }));
  const auto at = cluster[0].witness.committed[39];
  for (int i = 0; i < 3; ++i) cluster[i].group->checkpointed(at.index, at.term, 1);
  pump.run_for(1s);
  for (int i = 0; i < 3; ++i) {
    CHECK(cluster[i].stored().entries.begin()->first == at.index + 1);
    cluster[i].crash();
  }
  for (int i = 0; i < 3; ++i) cluster[i].start(at.index);
  REQUIRE(cluster.elect());
  REQUIRE(cluster[cluster.leader()].commit("y"));
  REQUIRE(pump.run_while_not([&] { return cluster.agree(); }));
  CHECK(cluster[0].witness.committed.front().index == at.index + 1);
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

TEST_CASE(
    "configurations follow their entries: committed ones into snapshots, truncated ones nowhere") {
  Pump pump;
  Cluster cluster(pump, 3, {.snapshot_threshold = 1});
  Node& node = cluster[0];
  node.start();
  pump.run_for(10ms);
  const auto initial = *node.stored().entries.at(1).payload;
  const auto other = [&](int role) {  // the same servers, the third with another role
    std::string text = initial;
    ConfigurationServer servers[CONFIGURATION_SERVERS_MAX];
    const int n = configuration_decode(initial.data(), initial.size(), servers);
    servers[2].role = static_cast<std::uint8_t>(role);
    configuration_encode(servers, n, text.data(), text.size());
    return bytes(text);
  };
  const auto send = [&](runtime::Term term, runtime::LogIndex prev, runtime::Term prev_term,
                        runtime::LogIndex commit, std::vector<runtime::LogEntry> entries) {
    RaftMessage message;
    message.group = Node::group_id;
    message.from = 2;
    message.to = 1;
    message.head.type = ENGINE_APPEND_ENTRIES;
    message.head.term = term;
    message.head.append.prev_index = prev;
    message.head.append.prev_term = prev_term;
    message.head.append.commit = commit;
    message.entries = std::move(entries);
    node.group->receive(message);
    pump.run_for(10ms);
  };
  const auto standby = other(CONFIGURATION_STANDBY);
  send(2, 1, 1, 1, {{2, 2, ENGINE_COMMAND, bytes("a")}, {3, 2, ENGINE_CHANGE, standby}});
  send(3, 2, 2, 2, {{3, 3, ENGINE_COMMAND, bytes("b")}, {4, 3, ENGINE_COMMAND, bytes("c")}});
  send(3, 4, 3, 4, {});
  node.group->checkpointed(4, 3, 1);
  pump.run_for(10ms);
  CHECK(node.stored().record->snapshot_index == 4);
  CHECK(node.stored().record->configuration_index == 1);
  CHECK(node.stored().record->configuration == initial);
  send(3, 4, 3, 4,
       {{5, 3, ENGINE_COMMAND, bytes("d")},
        {6, 3, ENGINE_CHANGE, standby},
        {7, 3, ENGINE_COMMAND, bytes("e")}});
  send(3, 7, 3, 7, {});
  CHECK(node.witness.payloads() == Texts{"a", "b", "c", "d", "e"});
  node.group->checkpointed(5, 3, 1);
  pump.run_for(10ms);
  CHECK(node.stored().record->snapshot_index == 5);
  CHECK(node.stored().record->configuration_index == 1);
  node.group->checkpointed(7, 3, 1);
  pump.run_for(10ms);
  CHECK(node.stored().record->snapshot_index == 7);
  CHECK(node.stored().record->configuration_index == 6);
  CHECK(node.stored().record->configuration == *standby);
  node.crash();
  node.start(7);
  pump.run_for(10ms);
  CHECK(node.witness.failed.empty());
  CHECK(node.group->status().last == 7);
}

TEST_CASE("a timer that was set before the leader was heard does nothing") {
  Pump pump;
  Cluster cluster(pump);
  cluster.start();
  REQUIRE(cluster.elect());
  const auto term = cluster[cluster.leader()].group->status().term;
  pump.run_for(10min);
  CHECK(cluster[cluster.leader()].group->status().term == term);
  // One timer at a time: a few wake-ups for each heartbeat and election time-out, no more.
  for (int i = 0; i < 3; ++i) CHECK(cluster[i].executor.delayed_posts < 10min / 50ms * 3);
}

TEST_CASE("under loss, crashes and cuts nothing that was committed changes") {
  std::size_t acknowledged_in_all = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
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
  CHECK(acknowledged_in_all > 2000);
}

TEST_SUITE_END();
