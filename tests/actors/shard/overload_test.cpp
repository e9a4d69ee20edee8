// What a shard does with more than it can do.
#include <doctest/doctest.h>

#include "tests/actors/shard/rig.hpp"

namespace troupe::actors::testing {
namespace {

// A majority confirms all reads that wait, also those that begin to wait meanwhile.
void confirm_all(Rig& rig) {
  for (std::size_t i = 0; i < rig.consensus->confirmations.size(); ++i) {
    const auto confirmed = rig.consensus->confirmations[i];
    confirmed({});
    rig.settle();
  }
}

}  // namespace

TEST_CASE("work whose deadline passes while it waits in the shard is not run") {
  ShardOptions options;
  options.batch_commands_max = 1;
  options.batches_in_flight_max = 1;
  Rig rig{options};
  rig.start();
  const auto until = [&](int n) { return rig.platform.clock().now() + ms(n); };
  SUBCASE("for its entity to be loaded") {
    const auto late = rig.send(add, "alice", "1", {}, false, until(5));
    const auto patient = rig.send(add, "alice", "1");
    rig.platform.clock().advance(ms(10));
    rig.settle();
    CHECK(late->text() == "DEADLINE_EXCEEDED");
    CHECK(patient->text() == "1");
  }
  SUBCASE("for a batch in flight") {
    rig.send(add, "alice", "1");
    rig.settle();
    const auto first = rig.send(add, "alice", "1");
    rig.pump();
    const auto second = rig.send(add, "alice", "1");
    const auto late = rig.send(add, "alice", "1", {}, false, until(5));
    rig.pump();
    rig.platform.clock().advance(ms(10));
    rig.settle();
    CHECK(first->text() == "2");
    CHECK(second->text() == "3");
    CHECK(late->text() == "DEADLINE_EXCEEDED");
    CHECK(rig.send(get, "alice", "")->text() == "3");
  }
  SUBCASE("for a majority that confirms a read") {
    rig.consensus->sole = false;
    const auto late = rig.send(get, "alice", "", {}, false, until(5));
    rig.platform.clock().advance(ms(10));
    confirm_all(rig);
    CHECK(late->text() == "DEADLINE_EXCEEDED");
  }
  SUBCASE("for rows that may be stale") {
    rig.consensus->sole = false;
    rig.consensus->fresh = rig.platform.clock().now();
    const auto late = rig.send(get, "alice", "", {}, true, until(5));
    rig.platform.clock().advance(ms(10));
    rig.settle();
    CHECK(late->text() == "DEADLINE_EXCEEDED");
  }
}

TEST_CASE("reads that wait for a majority are bounded") {
  ShardOptions options;
  options.waiting_max = 3;
  Rig rig{options};
  rig.start();
  rig.consensus->sole = false;
  std::vector<std::shared_ptr<Answer>> reads;
  for (int n = 0; n < 6; ++n) reads.push_back(rig.send(get, "alice", ""));
  rig.pump();
  // One is being confirmed, three wait for the next round.
  REQUIRE(rig.consensus->confirmations.size() == 1);
  CHECK_FALSE(reads[3]->came());
  CHECK(reads[4]->text() == "SHARD_OVERLOADED");
  CHECK(reads[5]->text() == "SHARD_OVERLOADED");
  confirm_all(rig);
  for (int n = 0; n < 4; ++n) CHECK(reads[static_cast<std::size_t>(n)]->text() == "0");
}

}  // namespace troupe::actors::testing
