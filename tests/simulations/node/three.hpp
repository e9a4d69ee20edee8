// Three nodes with three replicas of every shard, in a world: clients may ask any of them.
#pragma once

#include <doctest/doctest.h>

#include "config/load.hpp"
#include "simulations/rehearsal/hosting.hpp"
#include "tests/simulations/node/simulated_node.hpp"

namespace troupe::simulations {

using namespace std::chrono_literals;

inline config::Manifest three_nodes(std::uint32_t shards = 4) {
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
            node + ":8080\"\nadmin = \"" + node + ":7480\"\ndata = \"/data\"\n" +
            "services = [\"banking.v1.Accounts\", \"commerce.v1.Inventory\"]\n";
  text += R"(
[service_defaults]
shards = 4
replication_factor = 3
)";
  const auto nothing = [](const std::string&) { return std::nullopt; };
  auto manifest = config::load_manifest(text, "three.toml", nothing);
  if (!manifest) FAIL(manifest.error().front().describe());
  manifest->storage.reserve_bytes = 1 << 20;
  manifest->storage.segment_bytes = 1 << 20;
  manifest->storage.checkpoint_entries = 20;
  manifest->service_defaults.shards = shards;
  return std::move(*manifest);
}

struct Three {
  explicit Three(std::uint64_t seed, std::uint32_t shards_each = 4, Duration repair_after = 5min)
      : shards(2 * shards_each), manifest(three_nodes(shards_each)), world{{.seed = seed}} {
    manifest.balancer.repair_after = repair_after;
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
    return leads(i) + shards_with("\"role\":\"follower\"", i) == shards;
  }
  // Repeats under its key, at one node after the other, until it has succeeded.
  void command(const std::string& what, const std::string& key, const char* body,
               const std::string& entity = "accounts/ann") {
    for (std::size_t attempt = 0; attempt < 60; ++attempt) {
      const auto answer = post(world, "/v1/" + entity + ":" + what, key, body, name(attempt));
      last = answer.body;
      if (answer.status == 200) return;
      ++refused;
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

  const std::size_t shards;  // of both services
  config::Manifest manifest;
  World world;
  std::vector<std::unique_ptr<Hosting>> hosts;
  int deposits = 0;
  int refused = 0;  // requests that had to be repeated
  std::string last;
};

}  // namespace troupe::simulations
