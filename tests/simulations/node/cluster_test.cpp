// A cluster of three, with and without a majority.
#include <doctest/doctest.h>

#include "cluster/admin.pb.h"
#include "cluster/gateway/json.hpp"
#include "runtime/rehearsal/marks.hpp"
#include "simulations/rehearsal/replicas.hpp"
#include "tests/seeds.hpp"
#include "tests/simulations/node/three.hpp"

namespace troupe::simulations {
namespace {

TEST_CASE("whichever node is asked, the shard's leader answers") {
  Three three{1};
  three.command("open", "open", open_body);
  for (std::size_t i = 0; i < 9; ++i) {
    const auto answer = post(three.world, "/v1/accounts/ann:deposit", "d" + std::to_string(i),
                             one_cent, three.name(i));
    CAPTURE(answer.body);
    CHECK(answer.status == 200);
    ++three.deposits;
  }
  three.check_balance();
}

TEST_CASE("any node tells of all of them, and of those that it cannot ask") {
  Three three{1};
  const auto ask = [&](const std::string& what, std::size_t i) {
    const auto answer = ask_admin(three.world, "/v1/cluster/" + what, three.name(i));
    CAPTURE(answer.body);
    CHECK(answer.status == 200);
    cluster::ClusterAnswer all;
    REQUIRE(cluster::json_to_message(answer.body, all));
    REQUIRE(all.nodes_size() == 3);
    for (int k = 0; k < 3; ++k) CHECK(all.nodes(k).node() == "n" + std::to_string(k + 1));
    return all;
  };
  for (std::size_t i = 0; i < 3; ++i) {
    const auto status = ask("status", i);
    const auto tree = ask("tree", i);
    const auto shards = ask("shards", i);
    for (int k = 0; k < 3; ++k) {
      const std::string name = "n" + std::to_string(k + 1);
      CHECK(status.nodes(k).status().node() == name);
      CHECK(status.nodes(k).status().problems_size() == 0);
      CHECK(tree.nodes(k).tree().children_size() > 0);
      CHECK(shards.nodes(k).shards().shards(0).node() == name);
    }
  }
  three.world.crash(three.machine(2));
  three.world.run_for(5s);
  const auto status = ask("status", 0);
  CHECK(status.nodes(2).reason() == "LINK_DOWN");
  CHECK_FALSE(status.nodes(2).has_status());
  // What that means is a problem of those that are there.
  for (int k = 0; k < 2; ++k) {
    REQUIRE(status.nodes(k).status().problems_size() == 1);
    CHECK(status.nodes(k).status().problems(0).starts_with("there is no link to node n3: "));
  }
}

TEST_CASE("what was acknowledged survives the loss of each node in turn, and counts once") {
  for (std::uint64_t seed = 1; seed <= tests::seeds(8); ++seed) {
    CAPTURE(seed);
    Three three{seed};
    three.command("open", "open", open_body);
    for (std::size_t round = 0; round < 6; ++round) {
      CAPTURE(round);
      for (int i = 0; i < 5; ++i) three.deposit();
      Machine& victim = three.machine(round % 3);
      if (round % 2 == 0)
        three.world.crash(victim);
      else
        three.world.kill(victim);
      for (int i = 0; i < 5; ++i) three.deposit();
      three.check_balance();
      REQUIRE(three.world.start(victim));
      REQUIRE(three.world.run_until([&] { return three.ready() == 3; }, 30s));
    }
    three.check_balance();
  }
}

TEST_CASE("a node that lost its disk votes again in every group, and others may die then") {
  for (std::uint64_t seed = 1; seed <= tests::seeds(4); ++seed) {
    CAPTURE(seed);
    Three three{seed};
    three.command("open", "open", open_body);
    for (std::size_t round = 0; round < 3; ++round) {
      CAPTURE(round);
      for (int i = 0; i < 30; ++i) three.deposit();
      three.replace(round);
      for (int i = 0; i < 10; ++i) three.deposit();
      for (int i = 0; i < 100 && !three.votes_everywhere(round); ++i) three.world.run_for(100ms);
      REQUIRE(three.votes_everywhere(round));
      // What it was given is all that is left beside one other.
      Machine& victim = three.machine((round + 1) % 3);
      three.world.crash(victim);
      for (int i = 0; i < 10; ++i) three.deposit();
      three.check_balance();
      REQUIRE(three.world.start(victim));
      REQUIRE(three.world.run_until([&] { return three.ready() == 3; }, 30s));
    }
    three.check_balance();
  }
}

TEST_CASE("a node that stops hands over what it leads, and nobody waits for an election") {
  Three three{1};
  three.command("open", "open", open_body);
  three.world.run_for(1s);  // every group has its first leader
  int handed = 0;
  for (std::size_t round = 0; round < 6; ++round) {
    CAPTURE(round);
    const std::size_t i = round % 3;
    if (three.leads(i) == 0) continue;
    ++handed;
    bool stopped = false;
    auto& process = dynamic_cast<NodeProcess&>(*three.machine(i).process());
    process.node().stop([&] { stopped = true; });
    const auto since = three.world.now();
    REQUIRE(three.world.run_until([&] { return stopped; }, 10s));
    const auto others = [&] { return three.leads((i + 1) % 3) + three.leads((i + 2) % 3); };
    for (int k = 0; k < 50 && others() < three.shards; ++k) three.world.run_for(10ms);
    CHECK(others() == three.shards);
    CHECK(three.world.now() - since < 300ms);  // the shortest time-out of an election
    three.deposit();
    three.world.crash(three.machine(i));
    REQUIRE(three.world.start(three.machine(i)));
    REQUIRE(three.world.run_until([&] { return three.ready() == 3; }, 30s));
    three.world.run_for(1s);
  }
  CHECK(handed >= 2);
  three.check_balance();
}

TEST_CASE("a node that was away for long takes over files that are larger than one message") {
  Three three{1, 1};
  runtime::reset_marks();
  for (const auto& [group, nodes] : place_voters(three.manifest, actors::ServiceRegistry::global()))
    three.world.checks().expect_voters(group, nodes);
  three.world.kill(three.machine(2));
  const std::string owner(190, 'x');
  const auto body = R"({"owner":")" + owner + R"(","currency":"EUR"})";
  for (int i = 0; i < 120; ++i) {
    const auto account = "/v1/accounts/account-" + std::to_string(i) + ":open";
    const auto answer = post(three.world, account, "open-" + std::to_string(i), body);
    CAPTURE(answer.body);
    REQUIRE(answer.status == 200);
  }
  REQUIRE(three.world.start(three.machine(2)));
  const auto until = three.world.now() + 20s;
  while (three.world.checks().behind() && three.world.now() < until) three.world.run_for(100ms);
  CHECK(three.world.checks().behind().value_or("") == "");
  CHECK(runtime::marks().at("a replica took another's file in place of its own"));
}

// Its log goes on in files that were made when there was space.
TEST_CASE("a leader whose shard file finds no room lets a replica with room lead") {
  Three three{1, 1};
  three.command("open", "open", open_body);
  const auto statement = [&](std::size_t i) {
    const auto answer = get(three.world, "/v1/accounts/ann/statement", three.name(i));
    CAPTURE(answer.body);
    CHECK(answer.status == 200);
  };
  int moved = 0;
  for (std::size_t round = 0; round < 6; ++round) {
    CAPTURE(round);
    const std::size_t full = round % 3;
    runtime::reset_marks();
    auto& disk = three.machine(full).hardware.disk;
    disk.quota_bytes = disk.used_bytes();
    for (int i = 0; i < 20; ++i) {
      three.deposit();
      three.world.run_for(100ms);
      statement(full + static_cast<std::size_t>(i));
    }
    moved += runtime::marks().at("a shard made way for a replica with room");
    disk.quota_bytes = UINT64_MAX;
    three.world.run_for(1s);
  }
  CHECK(moved >= 2);
  three.check_balance();
}

TEST_CASE("without a majority commands are refused, soon at once, and served when it is back") {
  Three three{1};
  three.command("open", "open", open_body);
  three.deposit();
  three.world.crash(three.machine(1));
  three.world.crash(three.machine(2));
  const auto ask = [&] {
    const auto before = three.world.now();
    const auto answer = post(three.world, "/v1/accounts/ann:deposit", "lost-majority", one_cent);
    CAPTURE(answer.body);
    CHECK(answer.status == 503);
    return three.world.now() - before;
  };
  CHECK(ask() < 12s);
  CHECK(ask() < 1s);
  const auto status = [&] { return ask_admin(three.world, "/v1/status", "n1").body; };
  CHECK(three.shards_with("\"role\":\"candidate\"", 0) == three.shards);
  CHECK(status().find("\"state\":\"degraded\"") != std::string::npos);
  CHECK(status().find("knows no leader of 4 of its 4 shards") != std::string::npos);
  REQUIRE(three.world.start(three.machine(1)));
  three.command("deposit", "lost-majority", one_cent);
  three.world.run_for(2s);
  CHECK(three.votes_everywhere(0));
  CHECK(status().find("\"state\":\"serving\"") != std::string::npos);
  ++three.deposits;
  three.check_balance();
}

}  // namespace
}  // namespace troupe::simulations
