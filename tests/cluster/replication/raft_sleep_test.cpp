// Idle groups cost nothing while their nodes are linked, and wake when something is to be done.
#include <doctest/doctest.h>

#include "tests/cluster/replication/cluster.hpp"

using namespace troupe;
using namespace troupe::cluster;
using namespace troupe::cluster::test;
using namespace std::chrono_literals;

TEST_SUITE_BEGIN("raft group sleep");

namespace {

void link(Cluster& cluster, bool up) {
  for (int i = 0; i < cluster.size(); ++i)
    for (int j = 0; j < cluster.size(); ++j)
      if (i != j) cluster.exchanges[i]->link_changed(cluster[j].options().node, up);
}

// Messages and timers of a time in which nothing happens.
std::pair<std::uint64_t, std::uint64_t> cost(Cluster& cluster, Duration time) {
  const auto timers = [&] {
    std::uint64_t all = 0;
    for (auto& node : cluster.nodes) all += node->executor.delayed_posts;
    return all;
  };
  const auto messages = cluster.messages;
  const auto before = timers();
  cluster.pump.run_for(time);
  return {cluster.messages - messages, timers() - before};
}

double asleep(Cluster& cluster) {
  double groups = 0;
  for (auto& node : cluster.nodes)
    groups += node->platform.metrics().gauge("troupe_groups_asleep", "").value();
  return groups;
}

}  // namespace

TEST_CASE("an idle group sleeps while its nodes are linked: no message, no timer") {
  Pump pump;
  Cluster cluster(pump);
  link(cluster, true);
  cluster.start();
  REQUIRE(cluster.elect());
  REQUIRE(cluster[cluster.leader()].commit("a"));
  pump.run_for(5s);
  const auto term = cluster[cluster.leader()].group->status().term;
  const auto [messages, timers] = cost(cluster, 1h);
  CHECK(messages == 0);
  CHECK(timers == 0);
  CHECK(asleep(cluster) == 3);
  // What comes then is done at once.
  const int leader = cluster.leader();
  const auto asked = pump.now();
  REQUIRE(cluster[leader].commit("b"));
  CHECK(pump.now() - asked < 10ms);
  CHECK(asleep(cluster) == 0);
  REQUIRE(pump.run_while_not([&] { return cluster.agree(); }, 1s));
  pump.run_for(5s);
  CHECK(cost(cluster, 1h).first == 0);
  CHECK(cluster[cluster.leader()].group->status().term == term);
  CHECK(asleep(cluster) == 3);
  for (auto& node : cluster.nodes) node->stop();
  CHECK(asleep(cluster) == 0);
}

TEST_CASE("without links known nobody sleeps") {
  Pump pump;
  Cluster cluster(pump);
  cluster.start();
  REQUIRE(cluster.elect());
  pump.run_for(5s);
  CHECK(cost(cluster, 10s).first > 400);
}

TEST_CASE("a read of a group that sleeps is confirmed and wakes nobody") {
  Pump pump;
  Cluster cluster(pump);
  link(cluster, true);
  cluster.start();
  REQUIRE(cluster.elect());
  pump.run_for(5s);
  int yes = 0;
  cluster[cluster.leader()].group->confirm_leadership(
      [&](const auto& result) { yes += bool(result); });
  pump.run_for(20ms);
  CHECK(yes == 1);
  pump.run_for(100ms);  // the timer of the round
  CHECK(cost(cluster, 1min).first == 0);
}

TEST_CASE("the loss of a link to a node that has no part in a group wakes nobody") {
  Pump pump;
  Cluster cluster(pump);
  link(cluster, true);
  for (int i = 0; i < cluster.size(); ++i) cluster.exchanges[i]->link_changed("elsewhere", true);
  cluster.start();
  REQUIRE(cluster.elect());
  pump.run_for(5s);
  for (int i = 0; i < cluster.size(); ++i) cluster.exchanges[i]->link_changed("elsewhere", false);
  pump.run_for(10ms);
  CHECK(asleep(cluster) == 3);
  CHECK(cost(cluster, 1min).first == 0);
}

TEST_CASE("when the leader's process dies in its sleep the loss of its links wakes the others") {
  for (int round = 0; round < 10; ++round) {
    Pump pump;
    Cluster cluster(pump);
    link(cluster, true);
    cluster.start();
    REQUIRE(cluster.elect());
    REQUIRE(cluster[cluster.leader()].commit("a"));
    pump.run_for(std::chrono::milliseconds(5000 + 37 * round));
    const int old = cluster.leader();
    REQUIRE(cost(cluster, 1min).first == 0);
    cluster[old].crash();
    for (int i = 0; i < 3; ++i)
      if (i != old) cluster.exchanges[i]->link_changed(cluster[old].options().node, false);
    REQUIRE(cluster.elect(4 * 300ms));
    REQUIRE(cluster[cluster.leader()].commit("b"));
    pump.run_for(10s);
    CHECK(cost(cluster, 10s).first > 400);  // with one missing the two stay awake
    cluster[old].start();
    for (int i = 0; i < 3; ++i)
      if (i != old) cluster.exchanges[i]->link_changed(cluster[old].options().node, true);
    pump.run_for(10s);
    CHECK(cluster.agree());
    CHECK(cost(cluster, 1min).first == 0);
  }
}

TEST_CASE("a group whose leader forgot it in a restart of its shard alone wakes by itself") {
  Pump pump;
  Cluster cluster(pump);
  link(cluster, true);
  cluster.start();
  REQUIRE(cluster.elect());
  pump.run_for(5s);
  const int old = cluster.leader();
  cluster[old].stop();  // the process and its links live on
  pump.run_for(10ms);
  cluster[old].start();
  REQUIRE(cluster.elect());
  REQUIRE(cluster[cluster.leader()].commit("x"));
  REQUIRE(pump.run_while_not([&] { return cluster.agree(); }, 10s));
}

TEST_CASE("messages that are lost around the falling asleep leave no group without a leader") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    Pump pump;
    Cluster cluster(pump);
    FakePlatform dice_platform(pump, seed);
    auto& dice = dice_platform.random();
    link(cluster, true);
    cluster.lost_of_1000 = static_cast<unsigned>(dice.between(50, 300));
    cluster.start();
    REQUIRE(cluster.elect());
    for (int round = 0; round < 10; ++round) {
      pump.run_for(std::chrono::milliseconds(dice.between(500, 4000)));
      REQUIRE(cluster.elect());
      cluster[cluster.leader()].propose("x");
    }
    cluster.lost_of_1000 = 0;
    REQUIRE(pump.run_while_not([&] { return cluster.leader() >= 0; }, 10s));
    REQUIRE(cluster[cluster.leader()].propose("end") != 0);
    REQUIRE(pump.run_while_not([&] { return cluster.agree(); }, 10s));
    pump.run_for(10s);
    CHECK(cost(cluster, 1min).first == 0);
  }
}

TEST_SUITE_END();
