// Three replicas in one process, on virtual time.
#include <doctest/doctest.h>

#include "cluster/replication/engine/configuration.h"
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

TEST_CASE("who follows another leader than before is told who it is, once") {
  Pump pump;
  Cluster cluster(pump);
  const int old = cluster.settle_and_cut_off_leader("a");
  const int leader = cluster.elect_another(old);
  const int follower = 3 - old - leader;
  REQUIRE(cluster[leader].commit("b"));
  pump.run_for(1s);
  const auto& told = cluster[follower].witness.following;
  REQUIRE(told.size() == 3);  // nobody when it began, then two leaders
  CHECK(told[1].message.find("node n" + std::to_string(old + 1) + " does") != std::string::npos);
  CHECK(told[2].message.find("node n" + std::to_string(leader + 1) + " does") != std::string::npos);
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
  cluster.elect_another(old);
  cluster.reconnect();
  pump.run_for(10s);  // the cluster checks the term of every message
  CHECK(cluster[old].log.reads > reads);
  REQUIRE(pump.run_while_not([&] { return cluster.agree(); }));
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

TEST_CASE("an entry that no message carries is refused, unless there is nobody to send it to") {
  const std::string large(1001, 'x');
  Pump pump;
  Cluster cluster(pump, 3, {.entry_bytes_max = 1000});
  cluster.start();
  REQUIRE(cluster.elect());
  Node& leader = cluster[cluster.leader()];
  const auto refused = leader.group->propose(bytes(large));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Code::resource_exhausted);
  CHECK(refused.error().reason == "ENTRY_TOO_LARGE");
  REQUIRE(leader.commit(large.substr(1)));
  Cluster alone(pump, 1, {.entry_bytes_max = 1000});
  alone.start();
  REQUIRE(alone.elect());
  REQUIRE(alone[0].commit(large));
}

TEST_SUITE_END();
