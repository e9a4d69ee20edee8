// Who votes first, and who must not.
#include <doctest/doctest.h>

#include "tests/cluster/replication/cluster.hpp"

using namespace troupe;
using namespace troupe::cluster;
using namespace troupe::cluster::test;
using namespace std::chrono_literals;

TEST_SUITE_BEGIN("first voters");

TEST_CASE("first voters are the same wherever they are asked for, and differ by group and node") {
  const auto one = first_voters(7, {"n1", "n2", "n3"});
  const auto again = first_voters(7, {"n3", "n1", "n2"});
  REQUIRE(one.size() == 3);
  CHECK(one[0].replica == again[1].replica);
  CHECK(one[2].replica == again[0].replica);
  CHECK(one[0].replica != one[1].replica);
  CHECK(first_voters(8, {"n1"})[0].replica != one[0].replica);
}

TEST_CASE("a group on disk goes on with what its log says, whatever it is told") {
  Pump pump;
  Cluster cluster(pump);
  cluster.start();
  REQUIRE(cluster.elect());
  REQUIRE(cluster[cluster.leader()].commit("a"));
  pump.run_for(1s);
  for (auto& node : cluster.nodes) {
    node->crash();
    node->options().voters = [](auto) { return first_voters(9, {"others"}); };
    node->options().may_create = false;
  }
  cluster.start();
  REQUIRE(cluster.elect());
  REQUIRE(cluster[cluster.leader()].commit("b"));
  for (int i = 0; i < 3; ++i)
    CHECK(cluster[i].group->status().replica == static_cast<std::uint64_t>(i + 1));
}

TEST_CASE("an empty replica of a group that exists stays absent and does not vote") {
  Pump pump;
  Cluster cluster(pump);
  cluster.start();
  REQUIRE(cluster.elect());
  REQUIRE(cluster[cluster.leader()].commit("a"));
  const int lost = (cluster.leader() + 1) % 3;
  cluster.lose_disk(lost);
  // With another one gone nobody may lead, and so nobody takes it in: its vote counts no more.
  cluster[cluster.leader()].crash();
  cluster[lost].start();
  pump.run_for(10s);
  CHECK(cluster.leader() < 0);
  CHECK(cluster[lost].group->status().role == "absent");
  REQUIRE(cluster[lost].witness.following.size() == 1);
  CHECK(cluster[lost].witness.following[0].reason == "REPLICA_ABSENT");
  CHECK(cluster[lost].group->propose(bytes("x")).error().reason == "REPLICA_ABSENT");
  CHECK(cluster[lost].stored().record->vote == 0);
}

TEST_SUITE_END();
