// Logs that cannot be believed, and other ends.
#include <doctest/doctest.h>

#include "tests/cluster/replication/world.hpp"

using namespace troupe;
using namespace troupe::cluster;
using namespace troupe::cluster::test;
using namespace std::chrono_literals;
using Texts = std::vector<std::string>;

TEST_SUITE_BEGIN("raft group and a rotten log");

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
  node.commit_many(6);  // up to 8
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
    node.commit_many(3);
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
    Node node(pump, {.voters = [&](auto) { return voters; }});
    node.start();
    pump.run_for(1s);
    REQUIRE(node.witness.failed.size() == 1);
    CHECK(node.witness.failed[0].reason == "VOTERS_UNSOUND");
  }
}

TEST_SUITE_END();
