// Reads that a majority confirms, under loss, delay, cuts and changes of leadership.
#include <doctest/doctest.h>

#include "tests/cluster/replication/cluster.hpp"
#include "tests/seeds.hpp"

using namespace troupe;
using namespace troupe::cluster;
using namespace troupe::cluster::test;
using namespace std::chrono_literals;

TEST_SUITE_BEGIN("raft group reads");

TEST_CASE("a read is confirmed in one round trip, without an entry and without the disk") {
  Pump pump;
  Cluster cluster(pump);
  cluster.start();
  REQUIRE(cluster.elect());
  pump.run_for(1s);
  const int leader = cluster.leader();
  const auto last = cluster[leader].group->status().last;
  for (int i = 0; i < 3; ++i) cluster[i].log.hold_up();
  const Duration asked = pump.now();
  Duration answered{};
  cluster[leader].group->confirm_leadership([&](const auto& result) {
    REQUIRE(result);
    answered = pump.now();
  });
  pump.run_for(200ms);
  REQUIRE(answered > Duration::zero());
  CHECK(answered - asked < 2 * cluster.latency + 2ms);
  CHECK(cluster[leader].group->status().last == last);
}

TEST_CASE("reads that come while a round is under way share the next one") {
  Pump pump;
  Cluster cluster(pump);
  cluster.start();
  REQUIRE(cluster.elect());
  pump.run_for(1s);
  const int leader = cluster.leader();
  std::set<std::uint64_t> rounds;
  cluster.lost = [&](const RaftMessage& message) {
    if (message.head.type == RAFT_CONFIRM) rounds.insert(message.round);
    return false;
  };
  std::vector<int> order;
  const auto read = [&](int number) {
    cluster[leader].group->confirm_leadership([&order, number](const auto& result) {
      REQUIRE(result);
      order.push_back(number);
    });
  };
  read(0);
  for (int i = 1; i <= 100; ++i) read(i);
  pump.run_for(100ms);
  CHECK(rounds.size() == 2);
  REQUIRE(order.size() == 101);
  CHECK(std::is_sorted(order.begin(), order.end()));
}

TEST_CASE("an answer to an earlier round does not count for a later read") {
  Pump pump;
  Cluster cluster(pump);
  cluster.start();
  REQUIRE(cluster.elect());
  pump.run_for(1s);
  const int leader = cluster.leader();
  std::vector<RaftMessage> kept;
  cluster.lost = [&](const RaftMessage& message) {
    if (message.head.type != RAFT_CONFIRMED) return false;
    kept.push_back(message);
    return true;
  };
  int yes = 0;
  const auto count = [&](const auto& result) { yes += bool(result); };
  cluster[leader].group->confirm_leadership(count);
  pump.run_for(10ms);
  REQUIRE(kept.size() == 2);
  cluster[leader].group->receive(kept[0]);
  CHECK(yes == 1);
  cluster[leader].group->confirm_leadership(count);
  cluster[leader].group->receive(kept[0]);
  cluster[leader].group->receive(kept[1]);
  CHECK(yes == 1);
  cluster.lost = nullptr;
  pump.run_for(200ms);
  CHECK(yes == 2);
}

TEST_CASE("one voter's answers are counted once, and only a majority is one") {
  Pump pump;
  Cluster cluster(pump, 5);
  cluster.start();
  REQUIRE(cluster.elect());
  pump.run_for(1s);
  const int leader = cluster.leader();
  const int only = (leader + 1) % 5;
  cluster.lost = [&](const RaftMessage& message) {
    return message.head.type == RAFT_CONFIRMED &&
           message.from != static_cast<std::uint64_t>(only + 1);
  };
  int yes = 0;
  cluster[leader].group->confirm_leadership([&](const auto& result) { yes += bool(result); });
  pump.run_for(500ms);  // it is asked again and again
  CHECK(yes == 0);
  cluster.lost = nullptr;
  pump.run_for(100ms);
  CHECK(yes == 1);
}

TEST_CASE("a leader that was cut off confirms nothing, whatever its successor does meanwhile") {
  Pump pump;
  Cluster cluster(pump);
  cluster.start();
  REQUIRE(cluster.elect());
  const int old = cluster.leader();
  REQUIRE(cluster[old].commit("a"));
  cluster.cut_off(old);
  std::string outcome;
  cluster[old].group->confirm_leadership(
      [&](const auto& result) { outcome = result ? "yes" : result.error().reason; });
  cluster.elect_another(old);
  REQUIRE(cluster[cluster.leader()].commit("b"));
  cluster.reconnect();  // questions that are asked again reach voters of a later term now
  pump.run_for(2s);
  CHECK(outcome == "NOT_LEADING");
}

// At every confirmation: everything that was acknowledged before the read came is known to the
// replica that answers it.
TEST_CASE("no confirmed read is stale, under loss, delay, cuts and crashes") {
  std::uint64_t confirmed = 0;
  std::uint64_t refused = 0;
  constexpr auto seeds = tests::seeds(60);
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    CAPTURE(seed);
    Pump pump;
    Cluster cluster(pump, seed % 3 == 0 ? 5 : 3);
    FakePlatform dice_platform(pump, seed);
    auto& dice = dice_platform.random();
    cluster.lost_of_1000 = static_cast<unsigned>(dice.between(0, 150));
    cluster.latency = std::chrono::milliseconds(dice.between(1, 40));
    cluster.start();
    runtime::LogIndex acknowledged = 0;
    const auto last = static_cast<std::uint64_t>(cluster.size() - 1);
    std::function<void()> client = [&] {
      for (int i = 0; i < cluster.size(); ++i) {
        Node& node = cluster[i];
        if (!node.group || node.witness.leading == 0) continue;
        node.propose("x");
        const runtime::LogIndex floor = acknowledged;
        node.group->confirm_leadership([&, i, floor](const Result<void>& result) {
          (result ? confirmed : refused) += 1;
          if (!result) return;
          const auto& committed = cluster[i].witness.committed;
          if (committed.empty() || committed.back().index < floor)
            FAIL("a read does not see entry ", floor);
        });
      }
      pump.after(std::chrono::milliseconds(dice.between(1, 20)), client);
    };
    // A leader acknowledges what it hands out while it leads.
    std::function<void()> acknowledge = [&] {
      for (auto& node : cluster.nodes)
        if (node->group && node->witness.leading != 0 && !node->witness.committed.empty())
          acknowledged = std::max(acknowledged, node->witness.committed.back().index);
      pump.after(1ms, acknowledge);
    };
    client();
    acknowledge();
    for (int round = 0; round < 25; ++round) {
      const int victim = static_cast<int>(dice.between(0, last));
      switch (dice.between(0, 5)) {
        case 0:
          if (cluster[victim].group) cluster[victim].crash();
          break;
        case 1:
        case 2:
          if (cluster.leader() >= 0) cluster.cut_off(cluster.leader());
          break;
        default:
          cluster.reconnect();
          for (int i = 0; i < cluster.size(); ++i)
            if (!cluster[i].group) cluster[i].start();
      }
      pump.run_for(std::chrono::milliseconds(dice.between(0, 900)));
    }
  }
  CHECK(confirmed > 80 * seeds);
  CHECK(refused > seeds / 2);
}

TEST_SUITE_END();
