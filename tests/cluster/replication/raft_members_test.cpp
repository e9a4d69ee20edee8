// Members come and go: one at a time, and those that lost their past as replicas that the group
// never had.
#include <doctest/doctest.h>

#include <set>

#include "tests/cluster/replication/members.hpp"

using namespace troupe;
using namespace troupe::cluster;
using namespace troupe::cluster::test;
using namespace std::chrono_literals;
using Texts = std::vector<std::string>;

TEST_SUITE_BEGIN("members of a raft group");

namespace {

std::uint64_t replica_of(const std::vector<RaftMember>& members, const std::string& node) {
  const auto found = std::ranges::find(members, node, &RaftMember::node);
  return found == members.end() ? 0 : found->replica;
}

}  // namespace

// cluster-ledger, seed 831672924499.
TEST_CASE("a replica is taken in however little was cut off the log") {
  for (runtime::LogIndex cut : {1u, 2u}) {
    CAPTURE(cut);
    Pump pump;
    Members cluster(pump, 3, {.snapshot_threshold = 1});
    cluster.elected();
    for (auto& node : cluster.nodes) {
      const auto term = cut == 1 ? 1 : node->stored().record->term;
      node->group->checkpointed(cut, term, node->stored().record->generation);
    }
    pump.run_for(1s);
    const int lost = cluster.follower();
    cluster.lose_disk(lost);
    cluster.commit("without it");
    cluster[lost].start();
    REQUIRE(cluster.run_until([&] { return cluster.complete(); }, 10s));
  }
}

TEST_CASE("a replica that lost its disk comes back under an id of its own, and votes") {
  Pump pump;
  Members cluster(pump);
  cluster.elected();
  for (int round = 0; round < 6; ++round) {
    CAPTURE(round);
    const int lost = round % 3;
    const auto before = *cluster[lost].stored().record;
    cluster.lose_disk(lost);
    cluster.commit("without " + std::to_string(round));
    cluster[lost].start();
    REQUIRE(cluster.run_until([&] { return cluster.complete(); }, 10s));
    CHECK(cluster[lost].group->status().replica != before.replica);
    REQUIRE(cluster.run_until([&] { return cluster.agree(); }));
    // Its vote counts: the others' majority is gone.
    const int gone = (lost + 1) % 3;
    cluster[gone].crash();
    cluster.commit("with the new one " + std::to_string(round));
    cluster[gone].start();
    REQUIRE(cluster.run_until([&] { return cluster.agree(); }));
  }
  CHECK(cluster[cluster.leader()].witness.payloads().size() == 13);
}

TEST_CASE("so it does while messages are lost, leaders die and disks are lost again on the way") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    Pump pump;
    Members cluster(pump);
    cluster.lost_of_1000 = 100;
    cluster.elected();
    const int lost = static_cast<int>(seed % 3);
    cluster.lose_disk(lost);
    cluster.commit("without");
    cluster[lost].start();
    cluster.run_until([&] { return cluster.complete(); }, 40ms * seed);
    switch (seed % 4) {
      case 0:  // whoever was about to change the members
        if (cluster.leader() >= 0 && cluster.leader() != lost) {
          const int leader = cluster.leader();
          cluster[leader].crash();
          pump.run_for(20ms * seed);
          cluster[leader].start();
        }
        break;
      case 1:  // the new one, which goes on as what it was
        cluster[lost].crash();
        cluster[lost].start();
        break;
      case 2:  // the new one, which is lost as well, unless it votes already
        if (cluster.leader() >= 0 && cluster.complete()) break;
        cluster.lose_disk(lost);
        cluster[lost].start();
        break;
      default:
        if (cluster.leader() >= 0) cluster.cut_off(cluster.leader());
        pump.run_for(50ms * seed);
        cluster.reconnect();
    }
    REQUIRE(cluster.run_until([&] { return cluster.complete(); }, 60s));
    cluster.commit("after");
    REQUIRE(cluster.run_until([&] { return cluster.agree(); }));
    CHECK(cluster[lost].witness.payloads() == Texts{"first", "without", "after"});
    for (auto& node : cluster.nodes) CHECK(node->witness.failed.empty());
  }
}

TEST_CASE("of several lost replicas one is replaced after the other") {
  Pump pump;
  Members cluster(pump, 5);
  cluster.elected();
  const int first = (cluster.leader() + 1) % 5;
  const int second = (cluster.leader() + 2) % 5;
  for (const int lost : {first, second}) cluster.lose_disk(lost);
  cluster.commit("without");
  for (const int lost : {first, second}) cluster[lost].start();
  std::ptrdiff_t fewest = 5;
  REQUIRE(cluster.run_until(
      [&] {
        if (cluster.leader() >= 0)
          fewest = std::min(
              fewest, std::ranges::count(cluster.leading().members(), true, &RaftMember::voter));
        return cluster.complete();
      },
      20s));
  CHECK(fewest == 4);
  CHECK(cluster.leading().members().size() == 5);
}

// cluster-ledger, seed 714155666651.
TEST_CASE("no majority of the voters is smaller than one of the places") {
  Pump pump;
  Members cluster(pump, 5);
  cluster.elected();
  const int first = (cluster.leader() + 1) % 5;
  const int second = (cluster.leader() + 2) % 5;
  const auto voters = [&] {
    return std::ranges::count(cluster.leading().members(), true, &RaftMember::voter);
  };
  cluster.lose_disk(first);
  cluster.commit("without it");
  cluster[first].start();
  // The first is gone again before it votes.
  REQUIRE(cluster.run_until([&] { return voters() == 4; }, 10s));
  cluster[first].crash();
  cluster.lose_disk(second);
  cluster[second].start();
  CHECK_FALSE(cluster.run_until([&] { return voters() < 4; }, 10s));
  cluster[first].start();
  REQUIRE(cluster.run_until([&] { return cluster.complete(); }, 20s));
}

TEST_CASE("a replica is not replaced while it is heard, nor by a node that has no place") {
  Pump pump;
  Members cluster(pump, 3, {}, 1);
  cluster.elected();
  cluster[3].crash();
  RaftMessage question;
  question.group = Node::group_id;
  question.from = 999;
  question.head.type = RAFT_JOIN;
  question.node = "n" + std::to_string(cluster.follower() + 1);
  const auto before = cluster.leading().members();
  for (int i = 0; i < 30; ++i) {
    cluster.leading().receive(question);
    pump.run_for(100ms);
  }
  question.node = "n4";
  for (int i = 0; i < 30; ++i) {
    cluster.leading().receive(question);
    pump.run_for(100ms);
  }
  CHECK(cluster.leading().members() == before);
  cluster.places.push_back({4, "n4"});
  cluster.leading().receive(question);
  pump.run_for(100ms);
  REQUIRE(cluster.leading().members().size() == 4);
  CHECK(cluster.leading().members()[3] == RaftMember{999, "n4", false});
  // Nobody is there: it never votes.
  pump.run_for(10s);
  CHECK_FALSE(cluster.leading().members()[3].voter);
}

TEST_CASE("a node that gets a place is taken in, whatever it has to catch up with") {
  Pump pump;
  Members cluster(pump, 3, {}, 1);
  cluster.elected();
  for (int i = 0; i < 3000; ++i) REQUIRE(cluster[cluster.leader()].propose("x") != 0);
  cluster.places.push_back({4, "n4"});
  REQUIRE(cluster.run_until([&] { return cluster.complete(); }, 10s));
  CHECK(cluster.leading().members().size() == 4);
  REQUIRE(cluster.run_until([&] { return cluster.agree(); }));
  CHECK(cluster[3].group->status().role == "follower");
}

TEST_CASE("a replica that was removed learns it, forgets, and comes back as another one") {
  Pump pump;
  Members cluster(pump);
  cluster.elected();
  const int gone = cluster.follower();
  const auto old = cluster[gone].group->status().replica;
  // It is away when that happens, and believes that it votes when it is back.
  cluster[gone].crash();
  REQUIRE(cluster.leading().remove(old));
  cluster.commit("without");
  cluster[gone].start();
  REQUIRE(cluster.run_until([&] { return cluster.complete(); }, 30s));
  CHECK(cluster[gone].stored().record->replica != old);
  CHECK(cluster[gone].stored().record->generation == 2);
  REQUIRE(cluster.run_until([&] { return cluster.agree(); }));
  CHECK(cluster[gone].witness.payloads() == Texts{"first", "without"});
}

TEST_CASE("changes are refused that cannot be, or not yet") {
  Pump pump;
  Members cluster(pump, 3, {}, 1);
  cluster.elected();
  RaftGroup& leader = cluster.leading();
  RaftGroup& other = *cluster[cluster.follower()].group;
  const auto id = other.status().replica;
  CHECK(other.remove(id).error().reason == "NOT_LEADING");
  CHECK(leader.add_standby(id, "n4").error().reason == "MEMBERS_UNSUITABLE");
  CHECK(leader.add_standby(77, "n2").error().reason == "MEMBERS_UNSUITABLE");
  CHECK(leader.add_standby(0, "n4").error().reason == "MEMBERS_UNSUITABLE");
  CHECK(leader.promote(id).error().reason == "MEMBERS_UNSUITABLE");
  CHECK(leader.promote(77).error().reason == "MEMBERS_UNSUITABLE");
  CHECK(leader.remove(77).error().reason == "MEMBERS_UNSUITABLE");
  REQUIRE(leader.add_standby(77, "n4"));
  CHECK(leader.remove(77).error().reason == "CHANGE_UNDER_WAY");
  pump.run_for(1s);
  CHECK(leader.remove(77));
  pump.run_for(1s);
  CHECK(leader.members().size() == 3);
}

TEST_CASE("a change that was not committed goes with the leader that began it") {
  Pump pump;
  Members cluster(pump);
  cluster.elected();
  const int old = cluster.leader();
  const auto before = cluster.leading().members();
  cluster.cut_off(old);
  REQUIRE(cluster[old].group->add_standby(77, "n4"));
  CHECK(cluster[old].group->members().size() == 4);
  REQUIRE(cluster.run_until([&] { return cluster.leader() >= 0 && cluster.leader() != old; }));
  cluster.reconnect();
  cluster.commit("after");
  REQUIRE(cluster.run_until([&] { return cluster.agree(); }));
  CHECK(cluster[old].group->members() == before);
}

TEST_CASE("a replica counts as a member until its removal is committed, and from its addition on") {
  Pump pump;
  Members cluster(pump);
  cluster.elected();
  const int leader = cluster.leader();
  const auto gone = cluster.follower();
  const auto votes = [&](const std::string& node) {
    for (const auto& member : cluster[leader].group->status().members)
      if (member.node == node) return member.voter ? "votes" : "stands by";
    return "is none";
  };
  const std::string name = "n" + std::to_string(gone + 1);
  int told = cluster[leader].witness.members_changes;
  cluster.cut_off(leader);
  REQUIRE(cluster[leader].group->remove(cluster[gone].group->status().replica));
  CHECK(votes(name) == std::string{"votes"});
  CHECK(cluster[leader].witness.members_changes == ++told);
  cluster.reconnect();
  REQUIRE(cluster.run_until([&] { return cluster[leader].witness.members_changes > told; }));
  CHECK(votes(name) == std::string{"is none"});
  told = cluster[leader].witness.members_changes;
  cluster.cut_off(leader);
  REQUIRE(cluster[leader].group->add_standby(77, name));
  CHECK(votes(name) == std::string{"stands by"});
  CHECK(cluster[leader].witness.members_changes == told + 1);
}

TEST_CASE("a leader that is to be removed hands over first") {
  Pump pump;
  Members cluster(pump);
  cluster.elected();
  const int old = cluster.leader();
  const auto id = cluster[old].group->status().replica;
  CHECK(cluster[old].group->remove(id).error().reason == "NOT_LEADING");
  REQUIRE(
      cluster.run_until([&] { return cluster.leader() >= 0 && cluster.leader() != old; }, 200ms));
  cluster[old].crash();
  REQUIRE(cluster.leading().remove(id));
  cluster.commit("without");
  CHECK(replica_of(cluster.leading().members(), "n" + std::to_string(old + 1)) == 0);
}

TEST_CASE("a leader waits for the part of every replica that is not lost") {
  Pump pump;
  Members cluster(pump);
  cluster.elected();
  constexpr runtime::LogIndex entry = 7;
  std::vector<std::uint64_t> all;
  for (const RaftMember& one : cluster.leading().members()) all.push_back(one.replica);
  const auto awaits = [&] { return cluster.leading().awaits_part(entry, all); };
  const int late = cluster.follower();
  for (int i = 0; i < 3; ++i) cluster[i].group->did_part(i == late ? entry - 1 : entry);
  cluster.leading().hold_members(true);
  pump.run_for(10s);  // an idle group would sleep
  CHECK(awaits());
  cluster[late].group->did_part(entry);
  CHECK(cluster.run_until([&] { return !awaits(); }, 1s));
  CHECK(cluster.leading().awaits_part(entry + 1, all));

  for (int i = 0; i < 3; ++i)
    if (i != late) cluster[i].group->did_part(entry + 1);
  pump.run_for(1s);
  CHECK(cluster.leading().awaits_part(entry + 1, all));
  cluster[late].crash();
  pump.run_for(10s);
  CHECK(cluster.leading().awaits_part(entry + 1, all));  // it may come back
  cluster.lose_disk(late);
  cluster[late].start();
  CHECK(cluster.run_until([&] { return !cluster.leading().awaits_part(entry + 1, all); }, 5s));
}

TEST_SUITE_END();
