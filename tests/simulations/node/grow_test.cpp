// A cluster that grows and shrinks while it is used.
#include "runtime/rehearsal/marks.hpp"
#include "tests/seeds.hpp"
#include "tests/simulations/node/directory_stage.hpp"

namespace troupe::simulations {
namespace {

// Deposits go on while something becomes true, and none is lost or counted twice.
void deposit_until(Directory& three, const std::function<bool()>& done, Duration limit) {
  const auto until = three.world.now() + limit;
  bool came = done();
  while (!came && three.world.now() < until) {
    three.deposit();
    three.world.run_for(200ms);
    came = done();
  }
  REQUIRE(came);
}

TEST_CASE("a node that joins gets its share; one that drains loses all; clients notice nothing") {
  for (std::uint64_t seed = 1; seed <= tests::seeds(2); ++seed) {
    CAPTURE(seed);
    Directory three{seed};
    three.settle();
    three.command("open", "open", open_body);
    three.join_n4();
    const auto share = 3 * three.shards / 4;  // of 3 replicas on 4 nodes
    deposit_until(
        three,
        [&] {
          const auto left = three.left_on("n4", "n1");
          return left.members() >= share - 1 && left.members() == left.wished() &&
                 left.leaders() >= 1;
        },
        120s);
    three.check_balance();
    CHECK(ask_admin(three.world, "/v1/cluster/shards", "n1").body.find("\"node\":\"n4\"") !=
          std::string::npos);

    three.ordered(R"({"drain":{"node":"n1"}})", "n4");
    deposit_until(
        three,
        [&] {
          const auto left = three.left_on("n1", "n4");
          return left.wished() + left.members() + left.leaders() + left.unknown() == 0;
        },
        120s);
    CHECK(ask_admin(three.world, "/v1/shards", "n1").body.find("\"role\"") == std::string::npos);
    CHECK(three.refused == 0);
    three.world.crash(three.machine(0));
    for (int i = 0; i < 10; ++i) three.deposit();
    three.check_balance();
    three.wait([&] { return three.view_at("n4").reached(); });
  }
}

TEST_CASE("replicas of a node that does not come back are replaced, and it comes back empty") {
  Directory three{1, 4, 20s};
  three.settle();
  three.command("open", "open", open_body);
  for (int i = 0; i < 20; ++i) three.deposit();
  three.join_n4();
  three.wait([&] { return three.view_at("n4").reached(); });
  three.world.crash(three.machine(2));
  deposit_until(
      three,
      [&] {
        const auto left = three.left_on("n3", "n4");
        return left.wished() + left.members() + left.unknown() == 0;
      },
      120s);
  REQUIRE(three.world.start(three.machine(2)));
  three.wait([&] { return three.view(2).reached(); });
  for (int i = 0; i < 10; ++i) three.deposit();
  three.check_balance();
}

TEST_CASE("a node that groups still have as a member is not removed, whatever is wished") {
  Directory three{1};
  three.settle();
  three.command("open", "open", open_body);
  three.join_n4();
  three.wait([&] { return three.left_on("n4", "n1").members() > 0; }, 60s);
  three.ordered(R"({"drain":{"node":"n4"}})", "n1");
  cluster::LeftOnNodeReport left;
  three.wait(
      [&] {
        left = three.left_on("n4", "n1");
        return left.wished() == 0 && left.unknown() == 0;
      },
      60s);
  REQUIRE(left.members() > 0);
  const auto answer =
      order_admin(three.world, "/v1/directory", R"({"remove":{"node":"n4"}})", "n2");
  CHECK(answer.status != 200);
  CHECK(answer.body.find("NODE_STILL_NEEDED") != std::string::npos);
}

TEST_CASE("a node without replicas is removed, and forgotten as a peer") {
  Directory three{1};
  three.settle();
  three.command("open", "open", open_body);
  Machine& joiner = three.join_n4();
  three.wait([&] { return three.view_at("n4").reached(); });
  three.ordered(R"({"cordon":{"node":"n4"}})", "n1");
  three.ordered(R"({"drain":{"node":"n4"}})", "n1");
  three.wait(
      [&] {
        const auto left = three.left_on("n4", "n1");
        return left.wished() + left.members() + left.leaders() + left.unknown() == 0;
      },
      60s);
  three.world.crash(joiner);
  const auto misses_n4 = [&](const std::string& node) {
    return ask_admin(three.world, "/v1/status", node).body.find("no link to node n4") !=
           std::string::npos;
  };
  three.wait([&] { return misses_n4("n1") && misses_n4("n2") && misses_n4("n3"); });
  three.ordered(R"({"remove":{"node":"n4"}})", "n2");
  three.wait([&] {
    return cluster::find_node(three.view(0).table(), "n4")->state() == DirectoryNode::REMOVED;
  });
  three.wait([&] { return !misses_n4("n1") && !misses_n4("n2") && !misses_n4("n3"); });
  // The view of the whole cluster has it no more either.
  const std::string all = ask_admin(three.world, "/v1/cluster/status", "n1").body;
  CHECK(all.find("\"n3\"") != std::string::npos);
  CHECK(all.find("\"n4\"") == std::string::npos);
  three.deposit();
  three.check_balance();
}

}  // namespace
}  // namespace troupe::simulations
