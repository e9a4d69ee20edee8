// One replica goes on alone after a majority is gone for good.
#include <doctest/doctest.h>

#include "tests/cluster/replication/cluster.hpp"

using namespace troupe;
using namespace troupe::cluster;
using namespace troupe::cluster::test;
using namespace std::chrono_literals;

TEST_SUITE_BEGIN("raft group recovery");

namespace {

// Three replicas with some entries, of which a majority has just been lost.
struct Loss {
  // `more`: they committed something in the end that the one that is left does not have.
  explicit Loss(bool more = false) : cluster(pump, 3) {
    cluster.start();
    REQUIRE(cluster.elect());
    cluster[cluster.leader()].commit_many(5);
    REQUIRE(pump.run_while_not([&] { return cluster.agree(); }));
    left = (cluster.leader() + 1) % 3;
    if (more) {
      cluster.cut_off(left);
      REQUIRE(cluster[cluster.leader()].commit("doomed"));
      pump.run_for(100ms);
      cluster.reconnect();
    }
    for (int i = 0; i < 3; ++i)
      if (i != left) cluster[i].crash();
    pump.run_for(2s);
  }
  Node& survivor() { return cluster[left]; }
  actors::RecoveryOrder order() {
    const auto status = survivor().group->status();
    return {status.replica, status.last, status.last_term, status.term + 1000, {"n8", "n9"}};
  }
  std::optional<Result<void>> recover(const actors::RecoveryOrder& given) {
    auto done = std::make_shared<std::optional<Result<void>>>();
    survivor().group->recover(given, [done](const Result<void>& result) { *done = result; });
    pump.run_while_not([&] { return done->has_value(); }, 1s);
    return *done;
  }
  std::string refusal(const actors::RecoveryOrder& given) {
    const auto done = recover(given);
    REQUIRE(done);
    return *done ? "done" : done->error().reason;
  }
  bool leads() {
    return pump.run_while_not([&] { return survivor().witness.leading != 0; }, 2s);
  }

  Pump pump;
  Cluster cluster;
  int left = 0;
};

}  // namespace

TEST_CASE("one that is left goes on alone, with all of its log, in a term of its own") {
  Loss loss;
  const auto before = loss.survivor().group->status();
  const auto entries = loss.survivor().witness.committed;
  const auto order = loss.order();
  const auto done = loss.recover(order);
  REQUIRE(done);
  REQUIRE(*done);
  REQUIRE(loss.leads());
  const auto after = loss.survivor().group->status();
  CHECK(after.term > order.term);
  CHECK(after.replica != before.replica);
  const auto voters = loss.survivor().group->voters();
  REQUIRE(voters.size() == 1);
  CHECK(voters.front().replica == after.replica);
  CHECK(after.recovered);
  CHECK(loss.survivor().group->sole_voter());
  CHECK(loss.survivor().commit("after"));
  const auto& now = loss.survivor().witness.committed;
  REQUIRE(now.size() > entries.size());
  CHECK(std::equal(entries.begin(), entries.end(), now.begin()));
  CHECK(loss.survivor().platform.events.back() == "raft.leading");
}

TEST_CASE("what was only stored by the one that is left is committed with it") {
  Pump pump;
  Cluster cluster(pump);
  cluster.start();
  REQUIRE(cluster.elect());
  const int leader = cluster.leader();
  pump.run_for(1s);
  cluster.cut_off(leader);
  const auto index = cluster[leader].propose("alone");
  REQUIRE(index != 0);
  pump.run_for(100ms);
  for (int i = 0; i < 3; ++i)
    if (i != leader) cluster[i].crash();
  pump.run_for(3s);
  CHECK(cluster[leader].witness.committed.back().index < index);
  const auto status = cluster[leader].group->status();
  std::optional<Result<void>> done;
  cluster[leader].group->recover({status.replica, status.last, status.last_term, 5000, {"n9"}},
                                 [&](const Result<void>& result) { done = result; });
  REQUIRE(
      pump.run_while_not([&] { return cluster[leader].witness.committed.back().index > index; }));
  REQUIRE(done);
  CHECK(*done);
}

TEST_CASE("lost ones that come back as they were forget it and take part anew") {
  Loss loss;
  REQUIRE(*loss.recover(loss.order()));
  REQUIRE(loss.leads());
  REQUIRE(loss.survivor().commit("after"));
  // Both at once: the majority of the old voters.
  for (int i = 0; i < 3; ++i)
    if (i != loss.left) loss.cluster[i].start();
  REQUIRE(loss.cluster.run_until([&] { return loss.cluster.complete(); }, 30s));
  REQUIRE(loss.cluster.run_until([&] { return loss.cluster.agree(); }));
  const auto all = loss.survivor().witness.payloads();
  CHECK(std::ranges::find(all, "after") != all.end());
  CHECK(loss.survivor().group->voters().size() == 3);
}

TEST_CASE("what only the lost ones had committed is gone, whenever they come back") {
  for (int first = 0; first < 2; ++first) {
    CAPTURE(first);
    Loss loss{true};
    REQUIRE(*loss.recover(loss.order()));
    REQUIRE(loss.leads());
    REQUIRE(loss.survivor().commit("after"));
    // As if they led the old group again, for a while, without a link to the one that goes on.
    loss.cluster.cut_off(loss.left);
    for (int i = 0; i < 3; ++i)
      if (i != loss.left) loss.cluster[i].start();
    loss.pump.run_for(first == 0 ? 100ms : 3s);
    loss.cluster.reconnect();
    REQUIRE(loss.cluster.run_until([&] { return loss.cluster.complete(); }, 30s));
    REQUIRE(loss.cluster.run_until([&] { return loss.cluster.agree(); }));
    const auto all = loss.survivor().witness.payloads();
    CHECK(std::ranges::find(all, "after") != all.end());
    CHECK(std::ranges::find(all, "doomed") == all.end());
  }
}

TEST_CASE("it is alone after a restart as well") {
  Loss loss;
  REQUIRE(*loss.recover(loss.order()));
  REQUIRE(loss.leads());
  REQUIRE(loss.survivor().commit("after"));
  const auto replica = loss.survivor().group->status().replica;
  loss.survivor().crash();
  loss.survivor().start();
  REQUIRE(loss.leads());
  CHECK(loss.survivor().group->status().replica == replica);
  CHECK(loss.survivor().group->sole_voter());
}

TEST_CASE("an order that does not fit what is there changes nothing") {
  Loss loss;
  const auto before = loss.survivor().stored();
  auto wrong = loss.order();
  SUBCASE("another replica") {
    ++wrong.replica;
  }
  SUBCASE("a log that has grown since") {
    --wrong.last;
  }
  SUBCASE("another log") {
    ++wrong.last_term;
  }
  SUBCASE("a term that has been") {
    wrong.term = loss.survivor().group->status().term;
  }
  SUBCASE("a lost node is linked") {
    const int other = (loss.left + 1) % 3;
    const std::string node = "n" + std::to_string(other + 1);
    loss.cluster.exchanges[loss.left]->link_changed(node, true);
    wrong.lost = {node};
  }
  SUBCASE("a majority is linked") {
    const int other = (loss.left + 1) % 3;
    loss.cluster.exchanges[loss.left]->link_changed("n" + std::to_string(other + 1), true);
  }
  CHECK(loss.refusal(wrong) == "RECOVERY_REFUSED");
  CHECK(loss.survivor().stored().record->replica == before.record->replica);
  CHECK(loss.survivor().stored().entries.size() == before.entries.size());
  CHECK(loss.survivor().group->voters().size() == 3);
}

TEST_CASE("a group that has a leader is not recovered, by its leader or by another") {
  Pump pump;
  Cluster cluster(pump);
  cluster.start();
  REQUIRE(cluster.elect());
  pump.run_for(1s);
  for (int i = 0; i < 3; ++i) {
    const auto status = cluster[i].group->status();
    std::optional<Result<void>> done;
    cluster[i].group->recover({status.replica, status.last, status.last_term, 5000, {"n9"}},
                              [&](const Result<void>& result) { done = result; });
    REQUIRE(done);
    REQUIRE_FALSE(*done);
    CHECK(done->error().reason == "RECOVERY_REFUSED");
  }
}

TEST_CASE("a full disk leaves everything as it was, and the next order does it") {
  Loss loss;
  loss.survivor().log.full = true;
  CHECK(loss.refusal(loss.order()) == "DISK_FULL");
  loss.survivor().log.full = false;
  loss.pump.run_for(5s);
  CHECK(loss.survivor().group->voters().size() == 3);
  CHECK(loss.refusal(loss.order()) == "done");
  CHECK(loss.leads());
}

TEST_SUITE_END();
