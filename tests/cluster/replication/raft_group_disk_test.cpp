// Cutting the log, full disks, torn tails, rotten logs.
#include <doctest/doctest.h>

#include "cluster/replication/configuration.h"
#include "tests/cluster/replication/world.hpp"

using namespace troupe;
using namespace troupe::cluster;
using namespace troupe::cluster::test;
using namespace std::chrono_literals;
using Texts = std::vector<std::string>;

namespace {

void commit_many(Node& node, int n, const std::string& prefix = "e") {
  for (int i = 0; i < n; ++i) REQUIRE(node.propose(prefix + std::to_string(i)) != 0);
  const auto last = node.group->status().last;
  REQUIRE(node.pump.run_while_not([&] { return node.witness.committed.back().index >= last; }));
}

}  // namespace

TEST_SUITE_BEGIN("raft group and its log");

TEST_CASE("a checkpoint far enough past the last one cuts the log") {
  Pump pump;
  Node node(pump, {.snapshot_threshold = 10});
  REQUIRE(node.start_and_lead());
  commit_many(node, 20);  // indexes 3 to 22
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

TEST_CASE("a group starts from its snapshot, also when nothing is behind it") {
  Pump pump;
  Node node(pump, {.snapshot_threshold = 1});
  REQUIRE(node.start_and_lead());
  commit_many(node, 8);  // up to 10
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
  commit_many(node, 10);  // up to 12
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
  commit_many(node, 2);  // 3, 4 in term 2
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

TEST_CASE("another generation of the shard file is recorded at once") {
  Pump pump;
  Node node(pump);
  REQUIRE(node.start_and_lead());
  REQUIRE(node.commit("a"));
  node.group->checkpointed(3, 2, 2);
  pump.run_for(1s);
  CHECK(node.stored().record->generation == 2);
  CHECK(node.witness.failed.empty());
  node.group->checkpointed(3, 2, 1);  // back
  pump.run_for(1s);
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
  commit_many(node, 5);
  node.crash();
  node.stored().entries.erase(7);
  REQUIRE(node.start_and_lead(5));
  CHECK(node.witness.payloads() == Texts{"e3"});
  REQUIRE(node.commit("again"));
  CHECK(node.witness.committed.back().index == 8);
}

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
  commit_many(node, 5);
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
  commit_many(node, 5);
  node.log.full = true;
  node.group->checkpointed(6, 2, 1);
  pump.run_for(20ms);
  CHECK(node.witness.leading == 0);
  node.log.full = false;
  pump.run_for(3s);
  REQUIRE(node.witness.leading != 0);
  CHECK(node.stored().record->snapshot_index == 6);
}

TEST_CASE("an error of the log that is not a full disk ends the group") {
  struct Broken final : runtime::NodeLog {
    void append(Append append) override { append.done(unavailable("DISK_IO", "write failed")); }
    std::optional<runtime::GroupRecord> record(runtime::GroupId) const override { return {}; }
    runtime::LogIndex first_index(runtime::GroupId) const override { return 0; }
    runtime::LogIndex last_index(runtime::GroupId) const override { return 0; }
    std::vector<runtime::GroupId> groups() const override { return {}; }
    Result<std::vector<runtime::LogEntry>> read(runtime::GroupId, runtime::LogIndex,
                                                runtime::LogIndex) override {
      return not_found("nothing");
    }
    std::vector<runtime::GroupId> laggards(std::size_t) const override { return {}; }
    Stats stats() const override { return {}; }
  } log;
  Pump pump;
  FakePlatform platform(pump, 1);
  PumpExecutor executor(pump);
  Witness witness;
  auto group = make_raft_factory(platform, log, {.node = "n1"})(7, executor, witness);
  group->start(0);
  pump.run_for(1s);
  REQUIRE(witness.failed.size() == 1);
  CHECK(witness.failed[0].reason == "DISK_IO");
}

TEST_CASE("a log that does not fit the shard file is named and not touched") {
  Pump pump;
  Node node(pump, {.snapshot_threshold = 1});
  REQUIRE(node.start_and_lead());
  commit_many(node, 6);  // up to 8
  node.group->checkpointed(6, 2, 1);
  pump.run_for(1s);
  node.crash();
  node.start(5);
  pump.run_for(1s);
  REQUIRE(node.witness.failed.size() == 1);
  CHECK(node.witness.failed[0].code == Code::data_loss);
  CHECK(node.witness.failed[0].reason == "SHARD_BEHIND_LOG");
  node.start(9);
  pump.run_for(1s);
  REQUIRE(node.witness.failed.size() == 1);
  CHECK(node.witness.failed[0].reason == "LOG_BEHIND_SHARD");
  CHECK(node.stored().entries.rbegin()->first == 8);
  REQUIRE(node.start_and_lead(8));
}

TEST_CASE("a rotten log is named: what, where") {
  struct Rot {
    const char* what;
    std::function<void(FakeLog::Content&)> spoil;
  };
  for (const Rot& rot : std::vector<Rot>{
           {"no entry 4", [](auto& c) { c.entries.erase(4); }},
           {"entry 4 has the impossible term 9", [](auto& c) { c.entries[4].term = 9; }},
           {"entry 4 has the impossible term 1", [](auto& c) { c.entries[4].term = 1; }},
           {"entry 4 has the unknown type 7", [](auto& c) { c.entries[4].type = 7; }},
           {"entry 1 holds a configuration", [](auto& c) { c.entries[1].payload = bytes("rot"); }},
           {"entry 1 holds a configuration", [](auto& c) { c.entries[1].payload = nullptr; }},
           {"does not begin with the group's configuration", [](auto& c) { c.entries.clear(); }},
           {"no replica id", [](auto& c) { c.record->replica = 0; }},
           {"the configuration of its snapshot",
            [](auto& c) {
              c.record->snapshot_index = 2;
              c.record->snapshot_term = 2;
            }},
           {"snapshot at index 2 has the impossible term 0",
            [](auto& c) { c.record->snapshot_index = 2; }},
       }) {
    CAPTURE(rot.what);
    Pump pump;
    Node node(pump);
    REQUIRE(node.start_and_lead());
    commit_many(node, 3);
    node.crash();
    rot.spoil(node.stored());
    node.start();
    pump.run_for(1s);
    REQUIRE(node.witness.failed.size() == 1);
    CHECK(node.witness.failed[0].code == Code::data_loss);
    CHECK(node.witness.failed[0].reason == "GROUP_LOG_CORRUPT");
    CHECK_MESSAGE(node.witness.failed[0].message.find(rot.what) != std::string::npos,
                  node.witness.failed[0].message);
    CHECK(node.witness.committed.empty());
  }
}

TEST_CASE("a new group needs voters that make sense") {
  for (const auto& voters : std::vector<std::vector<RaftVoter>>{
           {{1, "other"}}, {{0, "n1"}}, {{1, "n1"}, {1, "n2"}}, {{1, "n1"}, {2, "n1"}}}) {
    Pump pump;
    Node node(pump, {.voters = voters});
    node.start();
    pump.run_for(1s);
    REQUIRE(node.witness.failed.size() == 1);
    CHECK(node.witness.failed[0].reason == "VOTERS_UNSOUND");
  }
}

TEST_SUITE_END();
