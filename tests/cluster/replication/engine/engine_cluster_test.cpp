// Engines among themselves: elections, replication, members that come and go, snapshots.
#include "tests/cluster/replication/engine/engines.hpp"

using namespace troupe::cluster::test;

namespace {

void start_three(Engines& engines) {
  const auto all = configuration({{1, voter}, {2, voter}, {3, voter}});
  for (std::uint64_t id = 1; id <= 3; ++id) engines.add(id, all);
  REQUIRE(engines.run_while_not([&] { return engines.leader() != 0; }));
}

bool all_have(Engines& engines, std::uint64_t index) {
  for (const auto& [id, member] : engines.members)
    if (!member->cut_off && engine_commit(member->engine.get()) < index) return false;
  return true;
}

}  // namespace

TEST_SUITE_BEGIN("engines");

TEST_CASE("three engines elect, replicate and fail over") {
  Engines engines;
  start_three(engines);
  std::uint64_t sent = 0;
  for (int round = 0; round < 6; ++round) {
    const auto leader = engines.leader();
    for (int i = 0; i < 200; ++i) {
      REQUIRE(engines.submit(leader, {"a", "b", "c"}) == ENGINE_OK);
      sent += 3;
      engines.run_for(1);
    }
    REQUIRE(engines.run_while_not([&] { return all_have(engines, engines[leader].last()); }));
    engines[leader].cut_off = true;
    REQUIRE(engines.run_while_not(
        [&] { return engines.leader() != leader && engines.leader() != 0; }, 1200));
    engines.run_for(2000);
    CHECK(engine_role(engines[leader].engine.get()) != ENGINE_LEADER);
    engines[leader].cut_off = false;
    engines.run_for(1000);
  }
  const auto last = engines[1].last();
  CHECK(last > sent);
  for (std::uint64_t id = 2; id <= 3; ++id) {
    CHECK(engines[id].last() == last);
    for (std::uint64_t index = 1; index <= last; ++index) {
      REQUIRE(engines[id].log[index].term == engines[1].log[index].term);
      REQUIRE(engines[id].log[index].payload == engines[1].log[index].payload);
    }
  }
}

TEST_CASE("a lone voter that was silent for a day can be joined, helped and replaced") {
  Engines engines;
  engines.add(1, configuration({{1, voter}}));
  Engine* first = engines[1].engine.get();
  CHECK(engine_sole_voter(first));
  CHECK(engine_alone(first));
  CHECK(engine_timeout(first) == ENGINE_NEVER);
  REQUIRE(engines.submit(1, std::vector<std::string>(100, "x")) == ENGINE_OK);
  engines.run_for(10);
  CHECK(engine_commit(first) == 102);
  engines.now += 24 * 3600 * 1000;

  engines.add(2, "");
  engines.run_for(5000);
  REQUIRE(engines.change(1, configuration({{1, voter}, {2, standby}})) == ENGINE_OK);
  CHECK(engine_role(first) == ENGINE_LEADER);
  CHECK(engine_timeout(first) != ENGINE_NEVER);
  CHECK(engine_sole_voter(first));
  CHECK_FALSE(engine_alone(first));
  engines.run_for(2000);
  CHECK(engine_role(first) == ENGINE_LEADER);
  CHECK(engines[2].last() == 103);

  EngineUpdate update;
  CHECK(engine_match(first, 2) == 103);
  CHECK(engine_match(first, 3) == 0);
  REQUIRE(engines.submit(1, {"y"}) == ENGINE_OK);
  REQUIRE(engines.run_while_not([&] { return engine_match(first, 2) == 104; }));
  REQUIRE(engines.change(1, configuration({{1, voter}, {2, voter}})) == ENGINE_OK);
  CHECK(engines.change(1, configuration({{1, voter}, {2, standby}})) == ENGINE_CANNOT_CHANGE);
  engines.run_for(1000);
  CHECK_FALSE(engine_sole_voter(first));
  CHECK(engine_commit(engines[2].engine.get()) == engines[1].last());

  CHECK(engines.change(1, configuration({{2, voter}})) == ENGINE_INVALID);  // itself
  REQUIRE(engine_transfer(first, engines.now, 2, &update) == ENGINE_OK);
  engines.process(engines[1], update, {});
  CHECK(engine_transferee(first) == 2);
  CHECK(engines.submit(1, {"during a transfer"}) == ENGINE_NOT_LEADER);
  REQUIRE(engines.run_while_not([&] { return engines.leader() == 2; }, 100));
  engines.run_for(1000);
  CHECK(engine_leader(first) == 2);
  REQUIRE(engines.change(2, configuration({{2, voter}})) == ENGINE_OK);
  engines.run_for(5000);
  CHECK(engines.leader() == 2);
  CHECK(engine_alone(engines[2].engine.get()));
  REQUIRE(engines.submit(2, {"alone again"}) == ENGINE_OK);
  engines.run_for(10);
  CHECK(engine_commit(engines[2].engine.get()) == engines[2].last());
}

TEST_CASE(
    "a lone leader that was silent for a day does not step down when it gets a second voter") {
  Engines engines;
  engines.add(1, configuration({{1, voter}}));
  engines.run_for(10);
  engines.now += 24 * 3600 * 1000;
  engines.add(2, "");
  REQUIRE(engines.change(1, configuration({{1, voter}, {2, voter}})) == ENGINE_OK);
  const auto term = engine_term(engines[1].engine.get());
  engines.run_for(2000);
  CHECK(engines.leader() == 1);
  CHECK(engine_term(engines[1].engine.get()) == term);
  CHECK(engine_commit(engines[2].engine.get()) == 3);
}

TEST_CASE("a follower that lags behind the cut installs a snapshot, and goes on from there") {
  Engines engines;
  start_three(engines);
  const auto leader = engines.leader();
  const auto away = leader % 3 + 1;
  engines[away].cut_off = true;
  REQUIRE(engines.submit(leader, std::vector<std::string>(50, "x")) == ENGINE_OK);
  engines.run_for(100);
  engines.cut(leader, engines[leader].last() - 5);
  CHECK(engine_snapshot_index(engines[leader].engine.get()) == engines[leader].last() - 5);
  engines.run_for(100);  // what was sent before the cut is lost as well
  engines[away].cut_off = false;
  REQUIRE(engines.run_while_not([&] { return all_have(engines, engines[leader].last()); }));
  CHECK(engines.snapshots_sent > 0);
  CHECK(engines[away].snapshot == engines[leader].snapshot);
  CHECK(engines[away].configurations.size() == 1);
  REQUIRE(engines.submit(engines.leader(), {"after"}) == ENGINE_OK);
  REQUIRE(engines.run_while_not([&] { return all_have(engines, engines[leader].last()); }));
  // The one that came late can lead.
  EngineUpdate update;
  REQUIRE(engine_transfer(engines[leader].engine.get(), engines.now, away, &update) == ENGINE_OK);
  engines.process(engines[leader], update, {});
  REQUIRE(engines.run_while_not([&] { return engines.leader() == away; }));
}

TEST_CASE("a stand-by that joins after the cut is brought up, over several changes in one batch") {
  Engines engines;
  start_three(engines);
  const auto leader = engines.leader();
  engines.add(4, "");
  engines.add(5, "");
  const std::vector<std::pair<std::uint64_t, int>> steps = {{4, standby}, {5, standby}};
  std::vector<std::pair<std::uint64_t, int>> members = {{1, voter}, {2, voter}, {3, voter}};
  engines[4].cut_off = true;  // it gets both changes and what is between in one message
  for (const auto& step : steps) {
    members.push_back(step);
    REQUIRE(engines.change(leader, configuration(members)) == ENGINE_OK);
    engines.run_for(100);
    REQUIRE(engines.submit(leader, {"between"}) == ENGINE_OK);
    engines.run_for(100);
  }
  engines[4].cut_off = false;
  REQUIRE(engines.run_while_not([&] { return all_have(engines, engines[leader].last()); }));
  for (std::uint64_t id = 1; id <= 5; ++id) {
    CAPTURE(id);
    CHECK(engines[id].configurations == engines[leader].configurations);
    CHECK(engines[id].configurations.size() == 3);
  }
}

TEST_SUITE_END();
