// Cutting the log, and starting from what is left.
#include <doctest/doctest.h>

#include "tests/cluster/replication/world.hpp"

using namespace troupe;
using namespace troupe::cluster;
using namespace troupe::cluster::test;
using namespace std::chrono_literals;
using Texts = std::vector<std::string>;

TEST_SUITE_BEGIN("raft group and its log");

TEST_CASE("a checkpoint far enough past the last one cuts the log") {
  Pump pump;
  Node node(pump, {.snapshot_threshold = 10});
  REQUIRE(node.start_and_lead());
  node.commit_many(20);  // indexes 3 to 22
  node.group->checkpointed(9, 2, 1);
  pump.run_for(1s);
  CHECK(node.stored().entries.begin()->first == 1);  // too near
  node.group->checkpointed(15, 2, 1);
  pump.run_for(1s);
  CHECK(node.stored().entries.begin()->first == 16);
  CHECK(node.stored().record->snapshot_index == 15);
  CHECK(node.stored().record->snapshot_term == 2);
  CHECK(node.stored().record->configuration_index == 1);
  CHECK(node.group->status().snapshot == 15);
  REQUIRE(node.commit("after"));
  node.group->checkpointed(23, 2, 1);  // 8 past 15
  pump.run_for(1s);
  CHECK(node.stored().record->snapshot_index == 15);
}

TEST_CASE("a quiet group that keeps old segments of the log alive is cut at any checkpoint") {
  Pump pump;
  Node node(pump, {.snapshot_threshold = 1000});
  REQUIRE(node.start_and_lead());
  node.commit_many(5);
  node.group->checkpointed(4, 2, 1);
  pump.run_for(1s);
  CHECK(node.stored().record->snapshot_index == 0);
  node.log.holding_back = {3, Node::group_id};
  node.group->checkpointed(5, 2, 1);
  pump.run_for(1s);
  CHECK(node.stored().record->snapshot_index == 5);
}

TEST_CASE("a group starts from its snapshot, also when nothing is behind it") {
  Pump pump;
  Node node(pump, {.snapshot_threshold = 1});
  REQUIRE(node.start_and_lead());
  node.commit_many(8);  // up to 10
  node.group->checkpointed(7, 2, 1);
  pump.run_for(1s);
  node.crash();
  REQUIRE(node.start_and_lead(7));
  CHECK(node.witness.payloads() == Texts{"e5", "e6", "e7"});
  CHECK(node.witness.leading == 3);

  node.group->checkpointed(11, 3, 1);  // its barrier, the last entry
  pump.run_for(1s);
  CHECK(node.stored().entries.empty());
  node.crash();
  REQUIRE(node.start_and_lead(11));
  CHECK(node.witness.committed == std::vector<Witness::Entry>{{12, 4, "-"}});
  REQUIRE(node.commit("next"));
  node.crash();
  REQUIRE(node.start_and_lead(12));
  CHECK(node.witness.payloads() == Texts{"next"});
}

TEST_CASE("trailing entries stay in the log behind a checkpoint") {
  Pump pump;
  Node node(pump, {.snapshot_threshold = 4, .trailing = 5});
  REQUIRE(node.start_and_lead());
  node.commit_many(10);  // up to 12
  node.group->checkpointed(12, 2, 1);
  pump.run_for(1s);
  CHECK(node.stored().record->snapshot_index == 7);
  node.crash();
  REQUIRE(node.start_and_lead(12));
  CHECK(node.witness.payloads().empty());
}

TEST_CASE("a snapshot marker remembers terms before the newest") {
  Pump pump;
  Node node(pump, {.snapshot_threshold = 1, .trailing = 3});
  REQUIRE(node.start_and_lead());
  node.commit_many(2);  // 3, 4 in term 2
  node.crash();
  REQUIRE(node.start_and_lead(4));  // 5 is the barrier of term 3
  REQUIRE(node.commit("x"));
  node.group->checkpointed(6, 3, 1);
  pump.run_for(1s);
  CHECK(node.stored().record->snapshot_index == 3);
  CHECK(node.stored().record->snapshot_term == 2);
  node.crash();
  REQUIRE(node.start_and_lead(3));
  CHECK(node.witness.payloads() == Texts{"e1", "x"});
}

TEST_CASE("a checkpoint of another generation of the shard file fails the group") {
  Pump pump;
  Node node(pump);
  REQUIRE(node.start_and_lead());
  REQUIRE(node.commit("a"));
  node.group->checkpointed(3, 2, 2);
  pump.run_for(1s);
  CHECK(node.stored().record->generation == 1);
  REQUIRE(node.witness.failed.size() == 1);
  CHECK(node.witness.failed[0].reason == "CHECKPOINT_MISMATCH");
}

TEST_CASE("a checkpoint of something else than this log fails the group") {
  for (const auto& [index, term] : {std::pair<runtime::LogIndex, runtime::Term>{3, 9}, {99, 2}}) {
    Pump pump;
    Node node(pump);
    REQUIRE(node.start_and_lead());
    REQUIRE(node.commit("a"));
    node.group->checkpointed(index, term, 1);
    pump.run_for(1s);
    REQUIRE(node.witness.failed.size() == 1);
    CHECK(node.witness.failed[0].reason == "CHECKPOINT_MISMATCH");
    CHECK(node.group->propose(bytes("b")).error().reason == "NOT_LEADING");
  }
}

TEST_CASE("a torn tail is lost and nothing else") {
  Pump pump;
  Node node(pump);
  REQUIRE(node.start_and_lead());
  node.commit_many(5);
  node.crash();
  node.stored().entries.erase(7);
  REQUIRE(node.start_and_lead(5));
  CHECK(node.witness.payloads() == Texts{"e3"});
  REQUIRE(node.commit("again"));
  CHECK(node.witness.committed.back().index == 8);
}

TEST_SUITE_END();
