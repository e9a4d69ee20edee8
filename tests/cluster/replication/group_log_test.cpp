#include "cluster/replication/group_log.hpp"

#include <doctest/doctest.h>

#include "tests/cluster/replication/world.hpp"

using namespace troupe;
using namespace troupe::cluster;
using namespace troupe::cluster::test;

namespace {

// Something happens to the log just before the first of its entries are read.
class RestlessLog final : public FakeLog {
 public:
  using FakeLog::FakeLog;
  Result<std::vector<runtime::LogEntry>> read(runtime::GroupId group, runtime::LogIndex from,
                                              runtime::LogIndex to) override {
    if (happens && remaining > 0) {
      --remaining;
      happens();
    }
    return FakeLog::read(group, from, to);
  }
  std::function<void()> happens;
  int remaining = 1;
};

// What a group of one voter with 20 commands leaves.
void fill(Pump& pump, RestlessLog& log) {
  Node node(pump);
  REQUIRE(node.start_and_lead());
  for (int i = 0; i < 20; ++i) REQUIRE(node.commit(std::to_string(i)));
  log.content(7) = node.stored();
}

}  // namespace

TEST_SUITE_BEGIN("group log");

TEST_CASE("a group that was never here has no record") {
  Pump pump;
  RestlessLog log(pump);
  const auto loaded = load_group_log(log, 7, 0);
  REQUIRE(loaded);
  CHECK_FALSE(loaded->record);
  CHECK(loaded->last() == 0);
}

TEST_CASE("payloads that the shard file holds are left out, configurations are not") {
  Pump pump;
  RestlessLog log(pump);
  fill(pump, log);
  const auto loaded = load_group_log(log, 7, 10);
  REQUIRE(loaded);
  REQUIRE(loaded->entries.size() == 22);
  CHECK(loaded->entries[0].payload != nullptr);
  CHECK(loaded->entries[9].payload == nullptr);
  CHECK(*loaded->entries[10].payload == "8");
}

TEST_CASE("a log that is cut or grows while it is read is read again") {
  Pump pump;
  RestlessLog log(pump);
  fill(pump, log);
  log.happens = [&] {  // a snapshot marker of the replica's earlier incarnation
    auto& content = log.content(7);
    content.record->snapshot_index = 5;
    content.record->snapshot_term = 2;
    content.record->configuration_index = 1;
    content.record->configuration = *content.entries[1].payload;
    content.entries.erase(content.entries.begin(), content.entries.upper_bound(5));
  };
  auto loaded = load_group_log(log, 7, 10);
  REQUIRE(loaded);
  CHECK(loaded->record->snapshot_index == 5);
  CHECK(loaded->entries.front().index == 6);
  log.remaining = 1;
  log.happens = [&] {  // its election
    auto& content = log.content(7);
    ++content.record->term;
    content.entries[23] = {23, content.record->term, ENGINE_BARRIER, nullptr};
  };
  loaded = load_group_log(log, 7, 10);
  REQUIRE(loaded);
  CHECK(loaded->last() == 23);
  log.remaining = 1000;
  log.happens = [&] { ++log.content(7).record->term; };
  loaded = load_group_log(log, 7, 10);
  REQUIRE_FALSE(loaded);
  CHECK(loaded.error().reason == "GROUP_LOG_BUSY");
}

TEST_SUITE_END();
