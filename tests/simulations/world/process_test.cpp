// Killing, pausing, losing the disk.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/simulations/world/connection.hpp"
#include "tests/simulations/world/stage.hpp"
#include "tests/simulations/world/toy_client.hpp"
#include "tests/simulations/world/toy_node.hpp"

namespace troupe::simulations {
namespace {

using go_atom = caf::atom_constant<caf::atom("go")>;

// Writes without a sync; whether the row is there after `end` and another start.
template <class End>
bool survives(std::uint64_t seed, const End& end) {
  World world{{.seed = seed}};
  auto& machine = world.add("node-1", bare_process());
  REQUIRE(world.start(machine));
  {
    Sqlite db{machine.platform()->disk(), "/rows.db"};
    db.query("PRAGMA synchronous=OFF; CREATE TABLE rows(id INTEGER PRIMARY KEY)");
    db.query("INSERT INTO rows VALUES(1)");
  }
  end(world, machine);
  REQUIRE(world.start(machine));
  Sqlite db{machine.platform()->disk(), "/rows.db"};
  std::vector<std::string> rows;
  try {
    rows = db.query("SELECT id FROM rows");
  } catch (const std::runtime_error&) {
    return false;
  }
  return rows.size() == 1;
}

TEST_CASE("a kill keeps what was written, a power cut after it takes what was not synced") {
  int after_kill = 0;
  int after_both = 0;
  constexpr int seeds = 30;
  for (int seed = 1; seed <= seeds; ++seed) {
    after_kill += survives(seed, [](World& world, Machine& machine) { world.kill(machine); });
    after_both += survives(seed, [](World& world, Machine& machine) {
      world.kill(machine);
      REQUIRE(world.start(machine));
      world.crash(machine);
    });
  }
  CHECK(after_kill == seeds);
  CHECK(after_both < seeds);
}

TEST_CASE("a kill drops locks of files and folders") {
  World world{{.seed = 1}};
  auto& machine = world.add("node-1", toy_node());  // locks its folder, and its file exclusively
  REQUIRE(world.start(machine));
  const auto client = std::make_shared<ToyClient>(world);
  client->connect();
  world.run_for(50ms);
  world.kill(machine);
  CHECK_FALSE(machine.up());
  CHECK(machine.platform() == nullptr);
  REQUIRE(world.start(machine));
  const auto numbers = dynamic_cast<ToyNode&>(*machine.process()).numbers();
  CHECK(client->acknowledged.size() > 5);
  CHECK(std::includes(numbers.begin(), numbers.end(), client->acknowledged.begin(),
                      client->acknowledged.end()));
}

TEST_CASE("a paused node does nothing, its clocks go on, and what came for it happens in order") {
  World world{{.seed = 1}};
  auto& machine = world.add("node-1", toy_node());
  REQUIRE(world.start(machine));
  const auto client = std::make_shared<ToyClient>(world);
  client->connect();
  world.run_for(55ms);
  auto& toy = dynamic_cast<ToyNode&>(*machine.process());
  CHECK(toy.ticks() == 5);
  const auto before = client->acknowledged.size();
  CHECK(before > 5);
  const auto clock = machine.platform()->clock().now();
  world.pause(machine);
  CHECK(machine.paused());
  CHECK(machine.up());
  world.run_for(1s);
  CHECK(toy.ticks() == 5);
  CHECK(client->acknowledged.size() <= before + 1);  // what was on the wire
  CHECK(machine.platform()->clock().now() == clock + 1s);
  world.resume(machine);
  world.run_for(100ms);
  CHECK_FALSE(machine.paused());
  CHECK(client->acknowledged.size() > before + 5);
  CHECK(toy.ticks() >= 5 + 10);  // the overdue timer at once, then every 10 ms
}

TEST_CASE("connections, bytes, expiries and jobs wait for a paused process") {
  Pair pair;
  auto& network = pair.world.outside().network();
  const auto queue =
      pair.machine.platform()->workers().queue("log", runtime::Workers::Kind::dedicated);
  bool worked = false;
  const auto first = pair.server;
  first->stream->expire_after(2s);
  pair.server = std::make_shared<End>();
  pair.world.pause(pair.machine);
  queue->post([&] { worked = true; });
  pair.client->stream->write("one ");
  pair.world.run_for(1s);
  pair.client->stream->write("two");
  const auto second = std::make_shared<End>();
  network.connect({"node-1", 80}, 1s, [&](auto stream) {
    REQUIRE(stream);
    second->stream = std::move(*stream);
    second->stream->write("hello");
    return second;
  });
  pair.world.run_for(9s);
  CHECK(second->stream != nullptr);  // its system accepted
  CHECK(pair.server->stream == nullptr);
  CHECK_FALSE(worked);
  CHECK(first->received.empty());
  CHECK(first->closed == 0);
  pair.world.resume(pair.machine);
  CHECK(first->received.empty());  // not inside the call
  pair.world.run_for(0s);
  CHECK(worked);
  CHECK(first->received == "one two");
  CHECK(first->reason == "STREAM_EXPIRED");
  CHECK(pair.server->received == "hello");
}

TEST_CASE("a paused machine can be crashed, and its next process is not paused") {
  World world{{.seed = 1}};
  auto& machine = world.add("node-1", toy_node());
  REQUIRE(world.start(machine));
  const auto client = std::make_shared<ToyClient>(world);
  client->connect();
  world.run_for(50ms);
  world.pause(machine);
  world.run_for(50ms);
  world.crash(machine);
  REQUIRE(world.start(machine));
  CHECK_FALSE(machine.paused());
  world.resume(machine);
  const auto before = client->acknowledged.size();
  world.run_for(100ms);
  CHECK(client->acknowledged.size() > before);
}

TEST_CASE("the actors of other machines go on while one is paused") {
  World world{{.seed = 1}};
  int handled[2] = {};
  Machine* machines[2];
  for (int i = 0; i < 2; ++i) {
    const auto spawn = [&handled, i](caf::actor_system& system, runtime::Platform&) {
      system.spawn([&handled, i](caf::event_based_actor* self) -> caf::behavior {
        self->delayed_send(self, 1ms, go_atom::value);
        return {[&handled, i, self](go_atom) {
          ++handled[i];
          self->delayed_send(self, 1ms, go_atom::value);
        }};
      });
    };
    machines[i] = &world.add("node-" + std::to_string(i), Stage::with(spawn));
    REQUIRE(world.start(*machines[i]));
  }
  world.pause(*machines[0]);
  world.run_for(10ms);
  CHECK(handled[0] == 0);
  CHECK(handled[1] == 10);
}

TEST_CASE("a lost disk is empty and works") {
  World world{{.seed = 1}};
  auto& machine = world.add("node-1", toy_node());
  REQUIRE(world.start(machine));
  const auto client = std::make_shared<ToyClient>(world);
  client->connect();
  world.run_for(50ms);
  world.crash(machine);
  world.lose_disk(machine);
  CHECK(machine.hardware.disk.files().empty());
  REQUIRE(world.start(machine));
  CHECK(dynamic_cast<ToyNode&>(*machine.process()).numbers().empty());
}

TEST_CASE("whoever drives the world hears of a process that ended by itself, once") {
  World world{{.seed = 5}};
  auto& machine = world.add("node-1", bare_process());
  int heard = 0;
  world.on_down = [&](Machine& down) {
    ++heard;
    CHECK(&down == &machine);
    CHECK(down.platform() == nullptr);
    CHECK(down.crashed()->reason == "POWER_CUT");
    CHECK(world.start(down));
  };
  REQUIRE(world.start(machine));
  machine.hardware.disk_faults.power_cut_after = 0;
  CHECK_FALSE(machine.platform()->disk().write("/f", "x"));
  world.run_for(1s);
  CHECK(heard == 1);
  CHECK(machine.lives() == 2);
  world.crash(machine);
  world.run_for(1s);
  CHECK(heard == 1);
}

}  // namespace
}  // namespace troupe::simulations
