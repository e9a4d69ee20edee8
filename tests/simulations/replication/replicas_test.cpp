// Three replicas of a real shard, in a world: real node logs and shard files on disks that forget
// what was not synced, and wires that lose, delay, reorder and cut.
#include <doctest/doctest.h>

#include "tests/simulations/replication/storm.hpp"

using namespace troupe;
using namespace troupe::simulations;
using namespace std::chrono_literals;

TEST_SUITE_BEGIN("replicas of a shard");

TEST_CASE("commands and reads through three replicas, without faults") {
  Stage stage(1);
  stage.start_all();
  stage.add_clients(4, 2);
  stage.world.run_for(5s);
  REQUIRE(stage.verdict() == "");
  CHECK(stage.history().size() > 500);
  CHECK(stage.checks.counts().leaderships == 1);
  CHECK(stage.checks.counts().cuts > 0);
}

TEST_CASE("a follower refuses commands at once, and says who leads") {
  Stage stage(2);
  stage.start_all();
  REQUIRE(stage.world.run_until([&] { return stage.leader() >= 0; }, 10s));
  stage.world.run_for(1s);
  const int leader = stage.leader();
  const int follower = (leader + 1) % 3;
  CHECK(stage.node(follower).vitals().state == "following");
  CHECK(stage.node(follower).vitals().consensus.leader == stage.machines[leader]->name());
  std::optional<Result<actors::Reply>> answer;
  auto request = std::make_shared<actors::Request>();
  request->service = &actors::testing::counter_type();
  request->method = actors::testing::add;
  request->key = "k";
  request->payload = "1";
  request->deadline = MonotonicTime::max();
  request->reply_to = [&](Result<actors::Reply> reply) { answer = std::move(reply); };
  actors::send_request(stage.node(follower).shard(), request);
  stage.world.run_for(10ms);
  REQUIRE(answer);
  REQUIRE_FALSE(*answer);
  CHECK(answer->error().reason == "NOT_LEADING");
}

TEST_CASE("leadership comes and goes, again and again, and nothing is lost or read stale") {
  Stage stage(3);
  stage.start_all();
  stage.add_clients(4, 2);
  for (int round = 0; round < 12; ++round) {
    REQUIRE(stage.world.run_until([&] { return stage.leader() >= 0; }, 20s));
    const int leader = stage.leader();
    stage.isolate(leader);
    REQUIRE(stage.world.run_until([&] { return stage.leader() >= 0 && stage.leader() != leader; },
                                  20s));
    stage.world.run_for(300ms);
    stage.wires.heal();
    stage.world.run_for(700ms);
  }
  REQUIRE(stage.verdict() == "");
  CHECK(stage.checks.counts().leaderships >= 12);
}

TEST_CASE("a replica that was away for long goes on from the leader's file") {
  Stage stage(4);
  stage.start_all();
  stage.add_clients(4, 2);
  REQUIRE(stage.world.run_until([&] { return stage.leader() >= 0; }, 20s));
  const int away = (stage.leader() + 1) % 3;
  stage.world.run_for(1s);
  stage.world.crash(*stage.machines[away]);
  stage.world.run_for(5s);
  stage.start(away);
  stage.world.run_for(5s);
  const auto record = stage.node(away).log().record(replicated_group);
  REQUIRE(record);
  CHECK(record->generation > 1);
  REQUIRE(stage.verdict() == "");
}

TEST_CASE("replicas of a shard that nobody uses send each other nothing") {
  Stage stage(6);
  stage.start_all();
  stage.add_clients(2, 2);
  stage.world.run_for(3s);
  REQUIRE(stage.verdict() == "");
  stage.world.run_for(5s);
  const auto before = stage.wires.carried;
  stage.world.run_for(60s);
  CHECK(stage.wires.carried == before);
  // The leader's process dies in its sleep.
  const int leader = stage.leader();
  stage.world.kill(*stage.machines[leader]);
  CHECK(stage.world.run_until([&] { return stage.leader() >= 0 && stage.leader() != leader; }, 2s));
  REQUIRE(stage.verdict() == "");
}

TEST_CASE("a replica that lost its disk stays out, and the others go on without it") {
  Stage stage(5);
  stage.start_all();
  stage.add_clients(4, 2);
  REQUIRE(stage.world.run_until([&] { return stage.leader() >= 0; }, 20s));
  stage.world.run_for(1s);
  const int lost = stage.leader();
  stage.world.crash(*stage.machines[lost]);
  stage.world.lose_disk(*stage.machines[lost]);
  stage.checks.forgive(stage.machines[lost]->name());
  stage.set.may_create = false;
  stage.start(lost);
  stage.world.run_for(5s);
  CHECK(stage.node(lost).vitals().consensus.role == "absent");
  CHECK(stage.leader() >= 0);
  CHECK(stage.leader() != lost);
  REQUIRE(stage.verdict() == "");
}

TEST_CASE("under loss, reordering, cuts, crashes and power cuts three replicas stay one shard") {
  std::uint64_t operations = 0;
  std::uint64_t files = 0;
  const auto number = [](const char* name, std::uint64_t otherwise) {
    const char* const given = std::getenv(name);
    return given != nullptr ? std::stoull(given) : otherwise;
  };
  const std::uint64_t first = number("TROUPE_TEST_FIRST_SEED", 1);
  const std::uint64_t last = number("TROUPE_TEST_LAST_SEED", 25);
  for (std::uint64_t seed = first; seed <= last; ++seed) {
    CAPTURE(seed);
    Stage stage(seed, seed % 5 == 0 ? 5 : 3);
    stage.add_clients(5, 3, seed % 4 == 3 ? 5000 : 20);  // some let the group sleep
    Storm(stage).blow(seed);
    REQUIRE(stage.verdict() == "");
    operations += stage.history().size();
    for (std::size_t i = 0; i < stage.machines.size(); ++i)
      files += stage.node(static_cast<int>(i)).log().record(replicated_group)->generation - 1;
  }
  CHECK(operations > 100 * (last - first));
  CHECK(files > (last - first) / 4);
}

TEST_SUITE_END();
