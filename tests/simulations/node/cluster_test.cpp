// Three nodes with three replicas of every shard, in a world: clients may ask any of them.
#include <doctest/doctest.h>

#include "config/load.hpp"
#include "simulations/rehearsal/hosting.hpp"
#include "tests/seeds.hpp"
#include "tests/simulations/node/simulated_node.hpp"

namespace troupe::simulations {
namespace {

using namespace std::chrono_literals;

config::Manifest three_nodes() {
  std::string text = R"(
[cluster]
name = "three"

[cluster.tls]  # no file is read in a world
authority = "/authority.pem"
certificate = "/{node}.pem"
key = "/{node}.key"
)";
  for (const std::string node : {"n1", "n2", "n3"})
    text += "\n[[nodes]]\nname = \"" + node + "\"\nmesh = \"" + node + ":7400\"\ngateway = \"" +
            node + ":8080\"\nadmin = \"" + node + ":7480\"\ndata = \"/data\"\n";
  text += R"(
[services."banking.v1.Accounts"]
shards = 4
replication_factor = 3
)";
  const auto nothing = [](const std::string&) { return std::nullopt; };
  auto manifest = config::load_manifest(text, "three.toml", nothing);
  if (!manifest) FAIL(manifest.error().front().describe());
  manifest->storage.reserve_bytes = 1 << 20;
  manifest->storage.segment_bytes = 1 << 20;
  manifest->storage.checkpoint_entries = 20;
  return std::move(*manifest);
}

struct Three {
  explicit Three(std::uint64_t seed) : world{{.seed = seed}} {
    for (const auto& node : manifest.nodes)
      hosts.push_back(std::make_unique<Hosting>(world, manifest, node,
                                                actors::ServiceRegistry::global(), true));
    for (auto& host : hosts) REQUIRE(world.start(host->machine()));
    REQUIRE(world.run_until([&] { return ready() == 3; }, 10s));
  }
  int ready() const {
    int count = 0;
    for (const auto& host : hosts) count += host->machine().up() && host->ready();
    return count;
  }
  Machine& machine(std::size_t i) { return hosts.at(i)->machine(); }
  std::string name(std::size_t i) { return "n" + std::to_string(i % 3 + 1); }

  // Loses its disk, and starts again as an operator makes it.
  void replace(std::size_t i) {
    world.crash(machine(i));
    world.lose_disk(machine(i));
    REQUIRE(world.start(machine(i)));
  }
  std::size_t shards_with(const std::string& what, std::size_t i) {
    const auto answer = ask_admin(world, "/v1/shards", name(i));
    std::size_t count = 0;
    for (auto at = answer.body.find(what); at != std::string::npos;
         at = answer.body.find(what, at + 1))
      ++count;
    return count;
  }
  std::size_t leads(std::size_t i) { return shards_with("\"role\":\"leader\"", i); }
  bool votes_everywhere(std::size_t i) {
    return leads(i) + shards_with("\"role\":\"follower\"", i) == 4;
  }
  // Repeats under its key, at one node after the other, until it has succeeded.
  void command(const std::string& what, const std::string& key, const char* body) {
    for (std::size_t attempt = 0; attempt < 60; ++attempt) {
      const auto answer = post(world, "/v1/accounts/ann:" + what, key, body, name(attempt));
      last = answer.body;
      if (answer.status == 200) return;
      world.run_for(200ms);
    }
    FAIL(what, " never succeeded: ", last);
  }
  void deposit() { command("deposit", "deposit-" + std::to_string(++deposits), one_cent); }
  void check_balance() {
    const auto expected = "\"minorUnits\":\"" + std::to_string(deposits) + "\"";
    for (std::size_t i = 0; i < 3; ++i) {
      if (!machine(i).up()) continue;
      const auto answer = get(world, "/v1/accounts/ann", name(i));
      CAPTURE(answer.body);
      CHECK(answer.status == 200);
      CHECK(answer.body.find(expected) != std::string::npos);
    }
  }

  config::Manifest manifest = three_nodes();
  World world;
  std::vector<std::unique_ptr<Hosting>> hosts;
  int deposits = 0;
  std::string last;
};

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
  for (std::size_t round = 0; round < 6; ++round) {
    CAPTURE(round);
    const std::size_t i = round % 3;
    if (three.leads(i) == 0) continue;
    bool stopped = false;
    auto& process = dynamic_cast<NodeProcess&>(*three.machine(i).process());
    process.node().stop([&] { stopped = true; });
    const auto since = three.world.now();
    REQUIRE(three.world.run_until([&] { return stopped; }, 10s));
    const auto others = [&] { return three.leads((i + 1) % 3) + three.leads((i + 2) % 3); };
    for (int k = 0; k < 50 && others() < 4; ++k) three.world.run_for(10ms);
    CHECK(others() == 4);
    CHECK(three.world.now() - since < 300ms);  // the shortest time-out of an election
    three.deposit();
    three.world.crash(three.machine(i));
    REQUIRE(three.world.start(three.machine(i)));
    REQUIRE(three.world.run_until([&] { return three.ready() == 3; }, 30s));
    three.world.run_for(1s);
  }
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
  REQUIRE(three.world.start(three.machine(1)));
  three.command("deposit", "lost-majority", one_cent);
  ++three.deposits;
  three.check_balance();
}

}  // namespace
}  // namespace troupe::simulations
