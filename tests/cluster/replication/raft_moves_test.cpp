// The places of a group change while it runs, and its replicas follow.
#include <doctest/doctest.h>

#include <set>

#include "tests/cluster/replication/cluster.hpp"
#include "tests/seeds.hpp"

using namespace troupe;
using namespace troupe::cluster;
using namespace troupe::cluster::test;
using namespace std::chrono_literals;
using Names = std::vector<std::string>;

TEST_SUITE_BEGIN("moves of replicas");

namespace {

struct Moves : Cluster {
  Moves(Pump& world, int size, int spare) : Cluster(world, size, {}, spare) {
    for (const RaftVoter& place : places) wish.push_back(place.node);
    for (int i = 0; i < this->size(); ++i) {
      nodes[i]->options().places = [this](auto) { return RaftPlaces{wish, binding}; };
      nodes[i]->options().others = [this] {
        Names all;
        for (const auto& node : nodes) all.push_back(node->options().node);
        return all;
      };
    }
    start();
    REQUIRE(elect());
    commit("first");
  }
  RaftGroup& leading() { return *nodes[leader()]->group; }
  std::string leader_name() { return "n" + std::to_string(leader() + 1); }
  // At whoever leads, however often it takes.
  void commit(const std::string& what) {
    const std::string text = what + " " + std::to_string(committed.size());
    committed.push_back(text);
    runtime::Term asked = 0;
    const auto done = [&] {
      const int at = leader();
      if (at < 0) return false;
      const auto& witness = nodes[at]->witness;
      if (std::ranges::find(witness.committed, text, &Witness::Entry::payload) !=
          witness.committed.end())
        return true;
      if (witness.leading != asked && nodes[at]->propose(text) != 0) asked = witness.leading;
      return false;
    };
    REQUIRE(run_until(done));
  }
  // What was asked for under two leaders may be there twice.
  static Names once(Names payloads) {
    payloads.erase(std::unique(payloads.begin(), payloads.end()), payloads.end());
    return payloads;
  }
  void want(Names names) {
    wish = std::move(names);
    for (auto& node : nodes)
      if (node->group) node->group->places_changed();
  }
  // Voters on the wished nodes and nobody else; whoever is to lead may do so.
  bool moved() {
    if (leader() < 0 || !nodes[leader()]->group) return false;
    std::set<std::string> voters;
    for (const RaftMember& one : leading().members()) {
      if (!one.voter) return false;
      voters.insert(one.node);
    }
    return voters == std::set<std::string>{wish.begin(), wish.end()};
  }
  // Nothing is lost or doubled, and who left has nothing.
  void check() {
    REQUIRE(run_until([&] { return moved() && forgotten(); }, 60s));
    commit("last");
    REQUIRE(run_until(
        [&] {
          return leader() >= 0 && std::ranges::all_of(nodes, [&](const auto& node) {
                   const auto& name = node->options().node;
                   return !node->group || std::ranges::find(wish, name) == wish.end() ||
                          once(node->witness.payloads()) == committed;
                 });
        },
        30s));
    for (auto& node : nodes) CHECK(node->witness.failed.empty());
  }
  bool forgotten() {
    return std::ranges::all_of(nodes, [&](const auto& node) {
      const bool wished = std::ranges::find(wish, node->options().node) != wish.end();
      return wished || !node->group || node->group->status().last == 0;
    });
  }
  Names wish;
  bool binding = true;
  Names committed;
};

}  // namespace

TEST_CASE("a follower's replica moves to another node") {
  Pump pump;
  Moves cluster(pump, 3, 1);
  const int old = cluster.leader();
  Names wish{"n4"};
  for (int i = 0; i < 3; ++i)
    if (i != (old + 1) % 3) wish.push_back("n" + std::to_string(i + 1));
  cluster.want(wish);
  cluster.check();
  CHECK(cluster.leader() == old);  // who leads elsewhere is nobody's reason to stop
}

TEST_CASE("the leader's replica moves, and whoever comes first in the places leads then") {
  Pump pump;
  Moves cluster(pump, 3, 1);
  const int old = cluster.leader();
  Names wish{"n4"};
  for (int i = 0; i < 3; ++i)
    if (i != old) wish.push_back("n" + std::to_string(i + 1));
  const auto since = pump.now();
  cluster.want(wish);
  REQUIRE(cluster.run_until([&] { return cluster.moved(); }, 10s));
  CHECK(cluster.leader_name() == "n4");
  CHECK(pump.now() - since < 3s);
  cluster.check();
}

TEST_CASE("a group that sleeps moves, and the one that has left learns it at once") {
  Pump pump;
  Moves cluster(pump, 3, 1);
  for (auto& exchange : cluster.exchanges)
    for (const auto& node : cluster.nodes) exchange->link_changed(node->options().node, true);
  pump.run_for(20s);
  const auto before = cluster.messages;
  pump.run_for(1s);
  // n4 asks, the others sleep.
  CHECK(cluster.messages - before < 10);
  const int gone = (cluster.leader() + 1) % 3;
  Names wish;
  for (int i = 0; i < 4; ++i)
    if (i != gone) wish.push_back("n" + std::to_string(i + 1));
  cluster.want(wish);
  REQUIRE(cluster.run_until([&] { return cluster.moved(); }, 10s));
  REQUIRE(cluster.run_until([&] { return cluster.forgotten(); }, 500ms));
  cluster.check();
}

TEST_CASE("a group that grows removes no lost replica before enough others vote") {
  Pump pump;
  Moves cluster(pump, 3, 2);
  const int lost = (cluster.leader() + 1) % 3;
  const auto voters = [&] {
    return cluster.leader() < 0
               ? 5
               : std::ranges::count(cluster.leading().members(), true, &RaftMember::voter);
  };
  for (int i = 3; i < 5; ++i) cluster.nodes[i]->crash();
  cluster.lose_disk(lost);
  cluster.want({"n1", "n2", "n3", "n4", "n5"});
  cluster.nodes[lost]->start();
  CHECK_FALSE(cluster.run_until([&] { return voters() < 3; }, 10s));
  cluster.commit("by two of three");
  for (int i = 3; i < 5; ++i) cluster.nodes[i]->start();
  REQUIRE(cluster.run_until([&] { return cluster.moved() && voters() == 5; }, 30s));
  cluster.commit("by five");
}

TEST_CASE("a group of one grows to three and shrinks to one elsewhere") {
  Pump pump;
  Moves cluster(pump, 1, 2);
  for (int i = 0; i < 5; ++i) cluster.commit("alone " + std::to_string(i));
  cluster.want({"n1", "n2", "n3"});
  cluster.check();
  cluster.commit("three");
  cluster.want({"n2"});
  cluster.check();
  CHECK(cluster.leader_name() == "n2");
  cluster.commit("alone again");
  // Where it was made it comes back as one that takes nothing for granted.
  cluster[0].crash();
  cluster[0].start();
  pump.run_for(5s);
  CHECK(cluster[0].group->status().role == "absent");
  cluster.want({"n3", "n1"});
  cluster.check();
}

TEST_CASE("one of five voters moves, although a sixth never votes") {
  Pump pump;
  Moves cluster(pump, 5, 1);
  cluster.want({"n2", "n3", "n4", "n5", "n6"});
  std::ptrdiff_t most = 0;
  REQUIRE(cluster.run_until(
      [&] {
        if (cluster.leader() >= 0)
          most = std::max(
              most, std::ranges::count(cluster.leading().members(), true, &RaftMember::voter));
        return cluster.moved();
      },
      20s));
  CHECK(most == 5);
  cluster.check();
}

TEST_CASE("nobody leaves, dead or alive, before the one who is to come votes") {
  Pump pump;
  Moves cluster(pump, 3, 1);
  cluster[3].crash();
  const int gone = (cluster.leader() + 1) % 3;
  Names wish{"n4"};
  for (int i = 0; i < 3; ++i)
    if (i != gone) wish.push_back("n" + std::to_string(i + 1));
  cluster.want(wish);
  pump.run_for(20s);
  CHECK(cluster.leading().members().size() == 3);
  SUBCASE("it comes") {
    cluster[3].start();
  }
  SUBCASE("the one who is to leave dies, and is removed when the other votes") {
    cluster[gone].crash();
    pump.run_for(20s);
    CHECK(cluster.leading().members().size() == 3);
    cluster[3].start();
    REQUIRE(cluster.run_until([&] { return cluster.moved(); }, 10s));
    cluster[gone].start();
  }
  SUBCASE("the one who is to leave was dead for long, and saves what another loses") {
    cluster[gone].crash();
    pump.run_for(20s);
    cluster.commit("without it");
    cluster[gone].start();
    REQUIRE(cluster.run_until([&] {
      return cluster.leader() >= 0 &&
             cluster[gone].group->status().commit == cluster.leading().status().commit;
    }));
    cluster.lose_disk(cluster.leader());
    REQUIRE(cluster.run_until([&] { return cluster.leader() >= 0; }, 10s));
    cluster.commit("without the first leader");
    cluster[3].start();
    for (auto& node : cluster.nodes)
      if (!node->group) node->start();
  }
  SUBCASE("the wish goes back") {
    cluster.want({"n1", "n2", "n3"});
    cluster[3].start();
  }
  cluster.check();
}

TEST_CASE("as long as nobody has spoken members elsewhere stay") {
  Pump pump;
  Moves cluster(pump, 3, 1);
  cluster.binding = false;
  cluster.want({"n1", "n2", "n4"});
  REQUIRE(cluster.run_until([&] { return cluster.leading().members().size() == 4; }, 10s));
  pump.run_for(10s);
  CHECK(cluster.leading().members().size() == 4);
  cluster.binding = true;
  cluster.check();
}

TEST_CASE("leadership is handed to the node that is named, or to nobody") {
  Pump pump;
  Moves cluster(pump, 3, 0);
  for (const std::string name : {"n1", "n2", "n3", "n2"}) {
    std::optional<bool> done;
    const bool leads = cluster.leader_name() == name;
    cluster.leading().hand_over_to(name, [&](bool gone) { done = gone; });
    REQUIRE(cluster.run_until([&] { return done.has_value(); }, 5s));
    CHECK(*done != leads);
    REQUIRE(cluster.run_until([&] { return cluster.leader() >= 0; }, 1s));
    CHECK(cluster.leader_name() == name);
    cluster.commit("led by " + name);
  }
  const int dead = cluster.leader() == 0 ? 1 : 0;
  cluster[dead].crash();
  pump.run_for(1s);
  std::optional<bool> done;
  cluster.leading().hand_over_to("n" + std::to_string(dead + 1), [&](bool gone) { done = gone; });
  REQUIRE(cluster.run_until([&] { return done.has_value(); }, 5s));
  CHECK_FALSE(*done);
}

TEST_CASE("whatever happens half way, and wherever the places go next, the group gets there") {
  for (std::uint64_t seed = 1; seed <= tests::seeds(40); ++seed) {
    CAPTURE(seed);
    Pump pump;
    Moves cluster(pump, 3, 2);
    if (seed % 2 == 0) cluster.lost_of_1000 = 50;
    std::uint64_t state = seed;
    const auto any = [&](std::uint64_t n) {
      state = state * 6364136223846793005ull + 1442695040888963407ull;
      return (state >> 33) % n;
    };
    const auto draw_wish = [&] {
      Names all{"n1", "n2", "n3", "n4", "n5"};
      const std::size_t count = any(4) == 0 ? 1 : 3;
      Names chosen;
      while (chosen.size() < count) {
        const auto at = any(all.size());
        chosen.push_back(all[at]);
        all.erase(all.begin() + static_cast<std::ptrdiff_t>(at));
      }
      return chosen;
    };
    for (int round = 0; round < 4; ++round) {
      cluster.want(draw_wish());
      cluster.run_until([&] { return cluster.moved(); }, 20ms * any(60));
      const int victim = any(3) == 0 ? std::max(cluster.leader(), 0) : static_cast<int>(any(5));
      switch (any(5)) {
        case 0:
          cluster[victim].crash();
          cluster.run_until([] { return false; }, 20ms * any(100));
          cluster[victim].start(cluster[victim].stored().record
                                    ? cluster[victim].stored().record->snapshot_index
                                    : 0);
          break;
        case 1:
          cluster.cut_off(victim);
          cluster.run_until([] { return false; }, 20ms * any(100));
          cluster.reconnect();
          break;
        case 2:  // and back
          cluster.want(draw_wish());
          break;
        case 3:
          if (cluster.leader() >= 0) cluster[cluster.leader()].propose("in between");
          break;
        default:
          break;
      }
      cluster.commit("round " + std::to_string(round));
    }
    cluster.lost_of_1000 = 0;
    // "in between" may or may not be there, and is not counted.
    REQUIRE(cluster.run_until([&] { return cluster.moved() && cluster.forgotten(); }, 60s));
    cluster.commit("last");
    Names of_leader = cluster[cluster.leader()].witness.payloads();
    std::erase(of_leader, "in between");
    CHECK(Moves::once(of_leader) == cluster.committed);
    for (auto& node : cluster.nodes) CHECK(node->witness.failed.empty());
  }
}

TEST_SUITE_END();
