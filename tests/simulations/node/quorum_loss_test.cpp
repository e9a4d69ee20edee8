// A majority of the replicas is gone.
#include <doctest/doctest.h>

#include "cluster/gateway/json.hpp"
#include "cluster/recovery/recovery_plan.hpp"
#include "tests/seeds.hpp"
#include "tests/simulations/node/three.hpp"

namespace troupe::simulations {
namespace {

struct Shop : Three {
  explicit Shop(std::uint64_t seed) : Three(seed) {
    receive("first");
    world.run_for(2s);  // all replicas have applied it
  }
  void receive(const std::string& key) {
    command("receive", key, R"({"quantity":"5"})", "inventory/tea");
  }
  Answer browse(const std::string& node) { return get(world, "/v1/inventory/tea:browse", node); }
};

bool shows(const Answer& answer, const std::string& on_hand) {
  return answer.status == 200 &&
         answer.body.find("\"onHand\":\"" + on_hand + "\"") != std::string::npos;
}

}  // namespace

TEST_CASE("every node answers reads that may be stale, and says how old they are at most") {
  Shop shop{1};
  for (std::size_t i = 0; i < 3; ++i) {
    const auto answer = shop.browse(shop.name(i));
    CAPTURE(answer.body);
    CHECK(shows(answer, "5"));
    const std::string age = answer.header("Age");
    CHECK((age == "0" || age == "1"));
    CHECK(answer.header("Troupe-Applied-Index") != "");
    CHECK(get(shop.world, "/v1/inventory/tea", shop.name(i)).header("Age") == "");
  }
}

TEST_CASE("without a majority stale reads go on and age, and nothing else is answered") {
  Shop shop{2};
  shop.world.crash(shop.machine(1));
  shop.world.crash(shop.machine(2));
  shop.world.run_for(30s);
  const auto answer = shop.browse("n1");
  CAPTURE(answer.body);
  CHECK(shows(answer, "5"));
  const int age = std::stoi("0" + answer.header("Age"));
  CHECK(age >= 28);
  CHECK(age <= 32);
  const auto fresh = get(shop.world, "/v1/inventory/tea", "n1");
  CHECK(fresh.status == 503);
  CHECK(fresh.body.find("NO_LEADER") != std::string::npos);
  CHECK(fresh.header("Retry-After") == "1");
  // What the node has is all that it needs, after a restart, too.
  shop.world.kill(shop.machine(0));
  REQUIRE(shop.world.start(shop.machine(0)));
  REQUIRE(shop.world.run_until([&] { return shop.ready() == 1; }, 10s));
  CHECK(shows(shop.browse("n1"), "5"));
}

namespace {

// Two of three machines are gone, and what the third one did before is known to all three.
struct Disaster : Shop {
  explicit Disaster(std::uint64_t seed) : Shop(seed) {
    command("open", "open", open_body);
    for (int i = 0; i < 10; ++i) deposit();
    world.run_for(2s);
    world.crash(machine(1));
    world.crash(machine(2));
    world.run_for(3s);
  }
  cluster::RecoveryView view(const std::string& node) {
    cluster::RecoveryView view;
    const auto answer = ask_admin(world, "/v1/recovery", node);
    CAPTURE(answer.body);
    REQUIRE(answer.status == 200);
    REQUIRE(cluster::json_to_message(answer.body, view));
    return view;
  }
  cluster::RecoveryRequest order() {
    const auto seen = view("n1");
    const auto plan = cluster::plan_recovery({seen}, {"n2", "n3"});
    REQUIRE(plan);
    return cluster::order_of(*plan, seen, {"n2", "n3"});
  }
  Answer give(const cluster::RecoveryRequest& request) {
    return order_admin(world, "/v1/recovery", *cluster::message_to_json(request), "n1");
  }
};

}  // namespace

TEST_CASE("one of three goes on alone when it is told to, with all that it had") {
  for (std::uint64_t seed = 1; seed <= tests::seeds(4); ++seed) {
    CAPTURE(seed);
    Disaster disaster{seed};
    const auto request = disaster.order();
    CHECK(request.acts_size() == 9);  // eight shards, and the directory
    const auto answer = disaster.give(request);
    CAPTURE(answer.body);
    CHECK(answer.status == 200);
    CHECK(answer.body.find("REFUSED") == std::string::npos);
    for (int i = 0; i < 5; ++i) disaster.deposit();
    disaster.check_balance();
    CHECK(shows(get(disaster.world, "/v1/inventory/tea", "n1"), "5"));
    CHECK(ask_admin(disaster.world, "/v1/status", "n1")
              .body.find("was recovered by an operator's order at 2026-01-01T00:00:") !=
          std::string::npos);
    CHECK(
        ask_admin(disaster.world, "/metrics", "n1").body.find("troupe_groups_recovered_total 9") !=
        std::string::npos);
    // The others come back after all, as they were, one after the other.
    for (std::size_t i = 1; i < 3; ++i) {
      REQUIRE(disaster.world.start(disaster.machine(i)));
      disaster.world.run_for(5s);
      disaster.deposit();
      const auto expected = "\"minorUnits\":\"" + std::to_string(disaster.deposits) + "\"";
      CHECK(get(disaster.world, "/v1/accounts/ann", "n1").body.find(expected) != std::string::npos);
    }
    // They are replicas like any others: it does without the one that went on alone.
    disaster.world.run_for(5s);
    disaster.world.crash(disaster.machine(0));
    disaster.deposit();
    disaster.check_balance();
    disaster.world.crash(disaster.machine(1));
    CHECK(shows(disaster.browse("n3"), "5"));
    // And through restarts of all.
    disaster.world.crash(disaster.machine(2));
    for (std::size_t i = 0; i < 3; ++i) REQUIRE(disaster.world.start(disaster.machine(i)));
    disaster.deposit();
  }
}

// Else a look in the meantime would let another survivor go on as well (recover, seed 69).
TEST_CASE("a replica that is about to go on alone is not taken for one that has nothing to say") {
  Disaster disaster{1};
  const auto request = disaster.order();
  auto& disk = disaster.machine(0).hardware.disk_faults;
  disk.slow_jobs = 1'000'000;
  disk.slow_by_max = 1s;
  begin_order(disaster.world, "/v1/recovery", *cluster::message_to_json(request), "n1");
  disaster.world.run_for(100ms);
  const auto seen = disaster.view("n1");
  CHECK(seen.silent_size() > 0);
  CHECK(seen.silent_size() + seen.groups_size() == request.acts_size());
  for (const auto& group : seen.groups()) CHECK(group.voters_size() == 1);
  const auto plan = cluster::plan_recovery({seen}, {"n2", "n3"});
  REQUIRE_FALSE(plan);
  CHECK(plan.error().reason == "SHARD_STARTING");
}

TEST_CASE("an order to recover that is wrong does nothing") {
  Disaster disaster{1};
  auto request = disaster.order();
  std::string reason = "RECOVERY_FOREIGN";
  SUBCASE("another cluster") {
    request.set_cluster("four");
  }
  SUBCASE("another cluster of that name") {
    request.set_cluster_id("2f1c0d3e-5a7b-4c8d-9e0f-123456789abc");
  }
  SUBCASE("another node") {
    request.set_node("n2");
  }
  SUBCASE("nothing is lost") {
    request.clear_lost();
  }
  SUBCASE("a lost node is there") {
    REQUIRE(disaster.world.start(disaster.machine(1)));
    disaster.world.run_for(5s);
    reason = "LOST_NODE_LIVES";
  }
  SUBCASE("what was looked at has changed") {
    for (auto& act : *request.mutable_acts()) act.set_last_index(act.last_index() - 1);
    reason = "RECOVERY_REFUSED";
  }
  SUBCASE("an unknown shard") {
    for (auto& act : *request.mutable_acts()) act.set_shard(77);
    reason = "SHARD_UNAVAILABLE";
  }
  const auto answer = disaster.give(request);
  CAPTURE(answer.body);
  CHECK(answer.body.find(reason) != std::string::npos);
  const auto seen = disaster.view("n1");
  for (const auto& group : seen.groups()) CHECK(group.voters_size() == 3);
  CHECK(order_admin(disaster.world, "/v1/recovery", "{", "n1").status == 400);
}

}  // namespace troupe::simulations
