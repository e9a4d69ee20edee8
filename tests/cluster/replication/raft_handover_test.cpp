// A leader hands its leadership over.
#include <doctest/doctest.h>

#include <set>

#include "tests/cluster/replication/members.hpp"

using namespace troupe;
using namespace troupe::cluster;
using namespace troupe::cluster::test;
using namespace std::chrono_literals;

TEST_SUITE_BEGIN("handing over leadership");

TEST_CASE("another voter leads within a few messages, and nothing is lost") {
  Pump pump;
  Members cluster(pump);
  cluster.elected();
  for (int round = 0; round < 5; ++round) {
    const int old = cluster.leader();
    for (int i = 0; i < 100; ++i) REQUIRE(cluster[old].propose("x") != 0);
    if (round == 4) pump.run_for(1min);  // it sleeps
    const auto since = pump.now();
    CHECK(cluster.handed());
    CHECK(cluster[old].witness.leading == 0);
    REQUIRE(cluster.elect(100ms));
    CHECK(cluster.leader() != old);
    CHECK(pump.now() - since < 100ms);
    cluster.commit("after");
  }
  REQUIRE(cluster.run_until([&] { return cluster.agree(); }));
  CHECK(cluster[0].witness.payloads().size() == 506);
}

TEST_CASE("it goes to a voter that lives, and back to work if nobody takes it") {
  Pump pump;
  Members cluster(pump);
  cluster.elected();
  const int old = cluster.leader();
  const int dead = cluster.follower();
  cluster[dead].crash();
  pump.run_for(1s);
  CHECK(cluster.handed());
  REQUIRE(cluster.elect(100ms));
  CHECK(cluster.leader() == 3 - old - dead);
  // Orders to stand for election never arrive.
  cluster.lost = [](const RaftMessage& message) { return message.head.type == ENGINE_TIMEOUT_NOW; };
  const auto since = pump.now();
  std::optional<bool> done;
  cluster.leading().hand_over([&](bool gone) { done = gone; });
  CHECK(cluster.leading().propose(bytes("x")).error().reason == "NOT_LEADING");
  REQUIRE(cluster.run_until([&] { return done.has_value(); }, 5s));
  CHECK_FALSE(*done);
  CHECK(pump.now() - since < 2100ms);
  REQUIRE(cluster.run_until([&] { return cluster.leading().propose(bytes("x")).has_value(); }, 1s));
  cluster.commit("y");
  // Whom nobody has answered for a while has nobody to hand it to.
  cluster[old].crash();
  pump.run_for(250ms);
  REQUIRE(cluster.leader() >= 0);
  CHECK_FALSE(cluster.handed(20ms));
}

TEST_CASE("leadership goes to a replica with room for what it is to serve, if there is one") {
  Pump pump;
  Members cluster(pump);
  cluster.elected();
  const auto lack = [&](std::set<int> full) {
    for (int i = 0; i < 3; ++i) cluster[i].group->lacks_room(full.contains(i));
    pump.run_for(200ms);  // heartbeats tell
  };
  for (int round = 0; round < 6; ++round) {
    const int old = cluster.leader();
    const int other = cluster.follower();
    CAPTURE(old);
    lack({old, 3 - old - other});
    CHECK(cluster.leading().other_has_room());
    CHECK(cluster.handed());
    REQUIRE(cluster.elect(100ms));
    CHECK(cluster.leader() == other);
  }
  lack({0, 1, 2});
  CHECK_FALSE(cluster.leading().other_has_room());
  CHECK(cluster.handed());  // whoever stops has no choice
  REQUIRE(cluster.elect(100ms));
  const int old = cluster.leader();
  lack({old});
  CHECK(cluster.leading().other_has_room());
  cluster[cluster.follower()].crash();
  cluster[3 - old - cluster.follower()].crash();
  pump.run_for(250ms);
  CHECK_FALSE(cluster[old].group->other_has_room());  // nobody is here
}

TEST_CASE("a sole voter has nobody to hand it to") {
  Pump pump;
  Node node(pump);
  REQUIRE(node.start_and_lead());
  bool called = false;
  node.group->hand_over([&](bool gone) {
    called = true;
    CHECK_FALSE(gone);
  });
  CHECK(called);
  CHECK(node.commit("x"));
}

TEST_SUITE_END();
