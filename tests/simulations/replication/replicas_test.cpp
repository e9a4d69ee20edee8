// Three replicas of a real shard, in a world: real node logs and shard files on disks that forget
// what was not synced, and wires that lose, delay, reorder and cut.
#include <doctest/doctest.h>

#include "tests/seeds.hpp"
#include "tests/simulations/replication/storm.hpp"

using namespace troupe;
using namespace troupe::simulations;
using namespace std::chrono_literals;

TEST_SUITE_BEGIN("replicas of a shard");

namespace {}  // namespace

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

TEST_CASE(
    "a replica that lost its disk comes back as a new one, from the leader's file, and votes") {
  Stage stage(5);
  stage.start_all();
  stage.add_clients(4, 2);
  REQUIRE(stage.world.run_until([&] { return stage.leader() >= 0; }, 20s));
  stage.world.run_for(1s);
  const int lost = stage.leader();
  const auto before = stage.node(lost).vitals().consensus.replica;
  stage.lose_disk(lost);
  stage.world.run_for(1s);
  stage.start(lost);
  REQUIRE(stage.world.run_until([&] { return stage.votes(lost); }, 10s));
  CHECK(stage.node(lost).vitals().consensus.replica != before);
  CHECK(stage.node(lost).log().record(replicated_group)->generation > 1);
  // The majority is that of the new one and of one of the others.
  const int other = (lost + 1) % 3;
  stage.world.crash(*stage.machines[other]);
  stage.world.run_for(5s);
  CHECK(stage.leader() >= 0);
  stage.start(other);
  REQUIRE(stage.verdict() == "");
}

TEST_CASE("a replica whose old disk turns up after it was replaced forgets what is on it") {
  Stage stage(7);
  stage.start_all();
  stage.add_clients(4, 2);
  REQUIRE(stage.world.run_until([&] { return stage.leader() >= 0; }, 20s));
  stage.world.run_for(1s);
  const int gone = (stage.leader() + 1) % 3;
  const auto before = stage.node(gone).vitals().consensus.replica;
  auto old_disk = stage.lose_disk(gone);
  stage.start(gone);
  REQUIRE(stage.world.run_until([&] { return stage.votes(gone); }, 20s));
  stage.lose_disk(gone);
  stage.machines[gone]->hardware.disk = std::move(old_disk);
  stage.start(gone);
  const auto returned = [&] {
    return stage.votes(gone) && stage.node(gone).vitals().consensus.replica != before;
  };
  REQUIRE(stage.world.run_until(returned, 20s));
  stage.world.run_for(2s);
  stage.world.crash(*stage.machines[gone]);
  stage.start(gone);
  REQUIRE(stage.verdict() == "");
}

TEST_CASE("disks are lost while everything else goes wrong, and every replica votes in the end") {
  std::size_t operations = 0;
  for (std::uint64_t seed = 1; seed <= tests::seeds(12); ++seed) {
    CAPTURE(seed);
    Stage stage(seed);
    stage.add_clients(5, 3);
    stage.start_all();
    Storm storm(stage);
    for (int round = 0; round < 4 && stage.failure.empty(); ++round) {
      const int lost = static_cast<int>(stage.any(3));
      // Only what has a majority elsewhere may be lost.
      if (!stage.settle()) break;
      stage.lose_disk(lost);
      stage.world.run_for(std::chrono::milliseconds{stage.any(1500)});
      stage.start(lost);
      for (int part = 0; part < 4 && stage.failure.empty(); ++part) storm.go_wrong();
    }
    REQUIRE(stage.verdict() == "");
    for (int i = 0; i < 3; ++i) CHECK(stage.votes(i));
    operations += stage.history().size();
  }
  CHECK(operations > 100);
}

TEST_CASE("places change while everything goes wrong, and the replicas are there in the end") {
  std::size_t operations = 0;
  const std::uint64_t first = tests::seed_from("TROUPE_TEST_FIRST_SEED", 1);
  const std::uint64_t last = tests::seed_from("TROUPE_TEST_LAST_SEED", tests::seeds(12));
  for (std::uint64_t seed = first; seed <= last; ++seed) {
    CAPTURE(seed);
    Stage stage(seed, 3, 2);
    stage.add_clients(5, 3);
    Storm(stage).move_about();
    REQUIRE(stage.verdict() == "");
    operations += stage.history().size();
  }
  CHECK(operations > 100);
}

TEST_CASE("under loss, reordering, cuts, crashes and power cuts three replicas stay one shard") {
  std::uint64_t operations = 0;
  std::uint64_t files = 0;
  const std::uint64_t first = tests::seed_from("TROUPE_TEST_FIRST_SEED", 1);
  const std::uint64_t last = tests::seed_from("TROUPE_TEST_LAST_SEED", tests::seeds(25));
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
