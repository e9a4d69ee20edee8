// Three nodes with three replicas of every shard, in a world: clients may ask any of them.
#include <doctest/doctest.h>

#include "config/load.hpp"
#include "runtime/rehearsal/marks.hpp"
#include "simulations/rehearsal/hosting.hpp"
#include "simulations/rehearsal/replicas.hpp"
#include "tests/seeds.hpp"
#include "tests/simulations/node/simulated_node.hpp"

namespace troupe::simulations {
namespace {

using namespace std::chrono_literals;

config::Manifest three_nodes(std::uint32_t shards) {
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
replication_factor = 3
)";
  const auto nothing = [](const std::string&) { return std::nullopt; };
  auto manifest = config::load_manifest(text, "three.toml", nothing);
  if (!manifest) FAIL(manifest.error().front().describe());
  manifest->storage.reserve_bytes = 1 << 20;
  manifest->storage.segment_bytes = 1 << 20;
  manifest->storage.checkpoint_entries = 20;
  manifest->services.at("banking.v1.Accounts").shards = shards;
  return std::move(*manifest);
}

struct Three {
  explicit Three(std::uint64_t seed, std::uint32_t shards = 4)
      : manifest(three_nodes(shards)), world{{.seed = seed}} {
    for (const auto& node : manifest.nodes)
      hosts.push_back(
          std::make_unique<Hosting>(world, manifest, node, actors::ServiceRegistry::global()));
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

  config::Manifest manifest;
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
