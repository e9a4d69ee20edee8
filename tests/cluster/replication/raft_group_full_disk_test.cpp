// Full disks.
#include <doctest/doctest.h>

#include "tests/cluster/replication/world.hpp"

using namespace troupe;
using namespace troupe::cluster;
using namespace troupe::cluster::test;
using namespace std::chrono_literals;
using Texts = std::vector<std::string>;

TEST_SUITE_BEGIN("raft group and a full disk");

TEST_CASE("a full disk stops writes, and they resume by themselves when there is space") {
  Pump pump;
  Node node(pump);
  REQUIRE(node.start_and_lead());
  REQUIRE(node.commit("before"));
  node.log.full = true;
  REQUIRE(node.propose("lost") != 0);
  REQUIRE(node.propose("lost too") != 0);
  pump.run_for(100ms);
  REQUIRE(node.witness.losses.size() == 1);
  CHECK(node.witness.losses[0].reason == "DISK_FULL");
  CHECK(node.witness.leading == 0);
  CHECK(node.group->propose(bytes("refused")).error().reason == "NOT_LEADING");
  CHECK(node.group->sole_voter());
  CHECK(node.witness.failed.empty());

  const auto commits = node.log.commits;
  pump.run_for(60s);
  CHECK(node.log.commits - commits >= 25);  // every 2 s at the latest
  CHECK(node.log.commits - commits <= 40);
  CHECK(node.witness.losses.size() == 1);  // told once

  node.log.full = false;
  pump.run_for(3s);
  REQUIRE(node.witness.leading != 0);
  CHECK(node.witness.payloads() == Texts{"before"});
  REQUIRE(node.commit("after"));

  node.log.full = true;  // the back-off begins anew
  REQUIRE(node.propose("lost") != 0);
  pump.run_for(10ms);
  REQUIRE(node.witness.losses.size() == 2);
  node.log.full = false;
  pump.run_for(100ms);
  CHECK(node.witness.leading != 0);
  node.crash();
  REQUIRE(node.start_and_lead());
  CHECK(node.witness.payloads() == Texts{"before", "after"});
}

TEST_CASE("no two entries share an index and a term, over full disks and restarts") {
  Pump pump;
  Node node(pump);
  std::map<std::pair<runtime::LogIndex, runtime::Term>, std::string> proposed;
  REQUIRE(node.start_and_lead());
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 3; ++i) {
      const std::string text = std::to_string(round) + "." + std::to_string(i);
      const auto index = node.propose(text);
      REQUIRE(index != 0);
      const auto [at, fresh] = proposed.try_emplace({index, node.witness.leading}, text);
      CHECK(fresh);
    }
    if (round % 2 == 0) {
      node.log.full = true;
      pump.run_for(20ms);
      node.log.full = false;
      REQUIRE(pump.run_while_not([&] { return node.witness.leading != 0; }));
    } else {
      node.crash();
      REQUIRE(node.start_and_lead());
    }
  }
}

TEST_CASE("what was durable before the disk was full is committed, the rest is not") {
  Pump pump;
  Node node(pump);
  REQUIRE(node.start_and_lead());
  REQUIRE(node.propose("durable") == 3);
  pump.run_for(500us);
  node.log.hold_up();
  node.log.go_on();
  REQUIRE(pump.run_while_not([&] { return node.stored().entries.count(3) == 1; }));
  node.log.full = true;
  REQUIRE(node.propose("lost") == 4);
  pump.run_for(10ms);
  CHECK(node.witness.leading == 0);
  CHECK(node.witness.payloads() == Texts{"durable"});
  node.log.full = false;
  pump.run_for(1s);
  CHECK(node.witness.payloads() == Texts{"durable"});
  CHECK(node.witness.committed.back() == Witness::Entry{4, 3, "-"});
}

TEST_CASE("a disk that is full while a group is created or started only delays it") {
  Pump pump;
  Node node(pump);
  node.log.full = true;
  node.start();
  pump.run_for(5s);
  CHECK(node.witness.leading == 0);
  CHECK(node.witness.failed.empty());
  REQUIRE_FALSE(node.witness.losses.empty());
  CHECK(node.witness.losses.back().reason == "DISK_FULL");  // there is no other replica to ask
  node.log.full = false;
  pump.run_for(3s);
  REQUIRE(node.witness.leading != 0);
  REQUIRE(node.commit("a"));
  node.crash();
  node.log.full = true;
  node.start();
  pump.run_for(5s);
  CHECK(node.witness.leading == 0);
  node.log.full = false;
  pump.run_for(3s);
  CHECK(node.witness.payloads() == Texts{"a"});
  REQUIRE(node.commit("b"));
}

TEST_CASE("completions that come after the engine was started again acknowledge nothing") {
  Pump pump;
  Node node(pump);
  REQUIRE(node.start_and_lead());
  node.log.full = true;
  const auto commits = node.log.commits;
  REQUIRE(node.propose("lost") == 3);
  REQUIRE(pump.run_while_not([&] { return node.log.commits > commits; }));
  REQUIRE(node.propose("sent before the group hears of it") == 4);
  node.log.hold_up();
  node.log.full = false;
  pump.run_for(30s);  // it does not read the log while that append is under way
  CHECK(node.witness.losses.size() == 1);
  CHECK(node.witness.payloads().empty());
  node.log.go_on();
  pump.run_for(5s);
  REQUIRE(node.witness.leading == 3);
  node.log.hold_up();
  REQUIRE(node.propose("kept") == 4);
  pump.run_for(1s);
  CHECK(node.witness.payloads().empty());
  node.log.go_on();
  pump.run_for(10ms);
  CHECK(node.witness.committed.back() == Witness::Entry{4, 3, "kept"});
}

TEST_CASE("the log can be cut while the group waits for space") {
  Pump pump;
  Node node(pump, {.snapshot_threshold = 2});
  REQUIRE(node.start_and_lead());
  node.commit_many(5);
  node.log.full = true;
  REQUIRE(node.propose("lost") != 0);
  pump.run_for(20ms);
  REQUIRE(node.witness.leading == 0);
  node.log.full = false;  // the log gives up its reserve for the cut
  node.group->checkpointed(6, 2, 1);
  pump.run_for(5ms);
  CHECK(node.stored().record->snapshot_index == 6);
  CHECK(node.stored().entries.begin()->first == 7);
  pump.run_for(3s);
  REQUIRE(node.witness.leading != 0);
  REQUIRE(node.commit("after"));
}

TEST_CASE("a failed cut is made up for") {
  Pump pump;
  Node node(pump, {.snapshot_threshold = 2});
  REQUIRE(node.start_and_lead());
  node.commit_many(5);
  node.log.full = true;
  node.group->checkpointed(6, 2, 1);
  pump.run_for(20ms);
  CHECK(node.witness.leading == 0);
  node.log.full = false;
  pump.run_for(3s);
  REQUIRE(node.witness.leading != 0);
  CHECK(node.stored().record->snapshot_index == 6);
}

TEST_SUITE_END();
