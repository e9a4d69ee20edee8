#include "simulations/world/world.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <sstream>

#include "tests/simulations/world/toy_client.hpp"
#include "tests/simulations/world/toy_node.hpp"

namespace troupe::simulations {
namespace {

ToyNode& toy_on(Machine& machine) {
  return dynamic_cast<ToyNode&>(*machine.process());
}

// Every acknowledged number is there, and nothing that was never sent.
void check_numbers(Machine& machine, const ToyClient& client) {
  const auto numbers = toy_on(machine).numbers();
  CHECK(std::includes(numbers.begin(), numbers.end(), client.acknowledged.begin(),
                      client.acknowledged.end()));
  CHECK(std::includes(client.sent.begin(), client.sent.end(), numbers.begin(), numbers.end()));
}

struct Outcome {
  std::uint64_t hash = 0;
  std::size_t acknowledged = 0;
  std::size_t unknown_but_there = 0;
  std::string trace;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

// A client and a node that crashes three times, at drawn moments: between events, in the midst of
// its writes, or while it starts.
Outcome torture(std::uint64_t seed, bool with_trace = false) {
  std::ostringstream trace;
  Outcome outcome;
  World world{{.seed = seed, .trace = with_trace ? &trace : nullptr}};
  auto random = world.random();
  auto& machine = world.add("node-1", toy_node());
  const auto client = std::make_shared<ToyClient>(world);
  client->connect();
  for (int crashes = 0; crashes < 3; ++crashes) {
    auto& power = machine.hardware.disk_faults.power_cut_after;
    const auto kind = random.between(0, 2);
    if (kind == 0) power = random.between(0, 30);
    const auto started = world.start(machine);
    if (!started) {
      REQUIRE(started.error().reason == "POWER_CUT");
      power.reset();
      continue;
    }
    check_numbers(machine, *client);
    if (kind == 1) power = random.between(0, 150);
    world.run_until([&] { return !machine.up(); },
                    std::chrono::microseconds{random.between(0, 200'000)});
    world.crash(machine);
    power.reset();
    world.run_for(std::chrono::microseconds{random.between(0, 20'000)});
  }
  REQUIRE(world.start(machine));
  world.run_for(20ms);
  check_numbers(machine, *client);
  const auto numbers = toy_on(machine).numbers();
  outcome.acknowledged = client->acknowledged.size();
  outcome.unknown_but_there = numbers.size() - outcome.acknowledged;
  outcome.hash = world.trace_hash();
  outcome.trace = trace.str();
  return outcome;
}

TEST_CASE("what was acknowledged survives crashes at any moment, the same way on every run") {
  std::set<std::uint64_t> hashes;
  std::uint64_t all_hashes = 0;
  std::size_t acknowledged = 0;
  std::size_t unknown = 0;
  constexpr std::uint64_t seeds = 300;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    CAPTURE(seed);
    const auto outcome = torture(seed);
    REQUIRE(outcome == torture(seed));
    hashes.insert(outcome.hash);
    all_hashes = all_hashes * 31 + outcome.hash;
    acknowledged += outcome.acknowledged;
    unknown += outcome.unknown_but_there;
  }
  MESSAGE("the same number in every build: ", all_hashes);
  CHECK(hashes.size() == seeds);
  CHECK(acknowledged > 50 * seeds);
  CHECK(unknown > 0);  // written, but the crash came before the answer
}

TEST_CASE("the text of the trace is the same twice, and writing it changes nothing") {
  const auto silent = torture(11);
  const auto one = torture(11, true);
  CHECK(one == torture(11, true));
  CHECK(one.hash == silent.hash);
  CHECK(one.trace.find("keeper#") != std::string::npos);
  CHECK(one.trace.find("disk.sync /data/numbers.db-wal") != std::string::npos);
  CHECK(torture(12, true).trace != one.trace);
}

TEST_CASE("a node that stops in order keeps everything, and may be started again") {
  World world{{.seed = 3}};
  auto& machine = world.add("node-1", toy_node());
  REQUIRE(world.start(machine));
  const auto client = std::make_shared<ToyClient>(world);
  client->connect();
  world.run_for(100ms);
  CHECK(client->acknowledged.size() > 20);
  CHECK(world.stop(machine, 1s));
  CHECK_FALSE(machine.up());
  CHECK_FALSE(machine.crashed());
  REQUIRE(world.start(machine));
  check_numbers(machine, *client);
  CHECK(machine.lives() == 2);
}

TEST_CASE("a full disk refuses and recovers") {
  World world{{.seed = 4}};
  auto& machine = world.add("node-1", toy_node());
  REQUIRE(world.start(machine));
  const auto client = std::make_shared<ToyClient>(world);
  client->in_flight_max = 1;
  client->connect();
  world.run_for(50ms);
  machine.hardware.disk.quota_bytes = machine.hardware.disk.used_bytes();
  REQUIRE(world.run_until([&] { return client->refused > 3; }, 10s));
  CHECK(machine.up());
  const auto before = client->acknowledged.size();
  machine.hardware.disk.quota_bytes = UINT64_MAX;
  REQUIRE(world.run_until([&] { return client->acknowledged.size() > before + 10; }, 10s));
  world.crash(machine);
  REQUIRE(world.start(machine));
  check_numbers(machine, *client);
}

TEST_CASE("a failed sync is a fail-stop that the world sees and the log tells") {
  World world{{.seed = 5}};
  auto& machine = world.add("node-1", toy_node());
  REQUIRE(world.start(machine));
  const auto client = std::make_shared<ToyClient>(world);
  client->connect();
  world.run_for(20ms);
  machine.hardware.disk_faults.sync_errors = 1'000'000;
  REQUIRE(world.run_until([&] { return machine.platform() == nullptr; }, 1s));
  CHECK(machine.crashed()->reason == "DISK_IO");
  machine.hardware.disk_faults = {};
  std::ostringstream log;
  log << world.log();
  CHECK(log.str().find("2026-01-01T00:00:00.000Z INFO  node-1 toy.started") != std::string::npos);
  CHECK(log.str().find("node.fail_stop") != std::string::npos);
  REQUIRE(world.start(machine));
  check_numbers(machine, *client);
}

TEST_CASE("nodes of one world share time and wires, not disks") {
  World world{{.seed = 6}};
  auto& one = world.add("node-1", toy_node());
  auto& two = world.add("node-2", toy_node());
  REQUIRE(world.start(one));
  REQUIRE(world.start(two));
  const auto client = std::make_shared<ToyClient>(world);
  client->connect();
  world.run_for(105ms);
  CHECK(toy_on(one).ticks() == 10);
  CHECK(toy_on(two).ticks() == 10);
  world.crash(one);
  world.run_for(100ms);
  CHECK(toy_on(two).ticks() == 20);
  CHECK(toy_on(two).numbers().empty());
  // Clocks of two machines have nothing in common but their pace; wall clocks agree.
  CHECK(two.platform()->clock().now() != world.outside().clock().now());
  CHECK(two.platform()->clock().wall() == world.outside().clock().wall());
}

}  // namespace
}  // namespace troupe::simulations
