#include "simulations/world/clock.hpp"

#include <doctest/doctest.h>

#include "tests/simulations/world/stage.hpp"

namespace troupe::simulations {
namespace {

using go_atom = caf::atom_constant<caf::atom("go")>;

// Through changes of drift, at() never goes back and to_world() is its exact inverse.
TEST_CASE("a clock that drifts never steps back, and its times are found exactly") {
  RandomStream random{1, Domain::scenario, 0, 0};
  for (int round = 0; round < 200; ++round) {
    MachineClock clock;
    Duration now{0};
    Duration last{0};
    for (int change = 0; change < 5; ++change) {
      now += Duration{static_cast<Duration::rep>(random.between(0, 10'000'000'000))};
      REQUIRE(clock.at(now) >= last);
      const auto before = clock.at(now);
      clock.set_drift(now, static_cast<std::int32_t>(random.between(0, 1'000'000)) - 500'000);
      REQUIRE(clock.at(now) == before);
      for (int probe = 0; probe < 20; ++probe) {
        const auto local =
            before + Duration{static_cast<Duration::rep>(random.between(1, 1'000'000'000'000))};
        const auto world = clock.to_world(local);
        REQUIRE(world > now);
        REQUIRE(clock.at(world) >= local);
        REQUIRE(clock.at(world - 1ns) < local);
      }
      last = before;
    }
  }
}

TEST_CASE("a drift is in millionths, and keeps what was counted") {
  MachineClock clock;
  clock.set_drift(10s, 100);
  CHECK(clock.drift() == 100);
  CHECK(clock.at(110s) == 110s + 10ms);
  clock.set_drift(110s, -100);
  CHECK(clock.at(210s) == 210s);
  clock.set_drift(210s, 0);
  CHECK(clock.at(220s) == 220s);
  CHECK(clock.to_world(230s) == 230s);
}

// Fires once, `delay` after its start on its own clock.
struct Timer {
  World world{{.seed = 1}};
  std::optional<Duration> fired;     // as the world counts
  std::optional<Duration> on_clock;  // since the start
  Machine* machine = nullptr;

  explicit Timer(Duration delay) {
    const auto spawn = [this, delay](caf::actor_system& system, runtime::Platform& platform) {
      const auto begin = platform.clock().now();
      system.spawn([=, this, &platform](caf::event_based_actor* self) -> caf::behavior {
        self->delayed_send(self, delay, go_atom::value);
        return {[=, this, &platform](go_atom) {
          fired = world.now();
          on_clock = platform.clock().now() - begin;
        }};
      });
    };
    machine = &world.add("node-1", Stage::with(spawn));
  }
};

TEST_CASE("an actor's timeout follows the clock, also when its drift changes on the way") {
  Timer timer{100s};
  REQUIRE(timer.world.start(*timer.machine));
  timer.world.run_for(50s);
  timer.world.set_drift(*timer.machine, 250'000);  // a quarter fast: 40 s are 50 s of its own
  timer.world.run_for(20s);
  CHECK_FALSE(timer.fired);
  timer.world.set_drift(*timer.machine, -500'000);  // half as fast: the 25 s left take 50 s
  timer.world.run_for(1h);
  CHECK(timer.fired == 50s + 20s + 50s);
  CHECK(timer.on_clock == 100s);
}

TEST_CASE("the wall clock steps at once, and only it") {
  World world{{.seed = 1}};
  auto& machine = world.add("node-1", bare_process());
  REQUIRE(world.start(machine));
  auto& clock = machine.platform()->clock();
  const auto monotonic = clock.now();
  const auto wall = clock.wall();
  machine.hardware.clock.wall_offset = -3s;
  CHECK(clock.wall() == wall - 3s);
  CHECK(clock.now() == monotonic);
  world.run_for(1s);
  CHECK(clock.wall() == wall - 2s);
  CHECK(clock.now() == monotonic + 1s);
}

TEST_CASE(
    "what the wall clock has drifted stays over a restart, the monotonic clock is a new one") {
  World world{{.seed = 1}};
  auto& machine = world.add("node-1", bare_process());
  REQUIRE(world.start(machine));
  const auto monotonic = machine.platform()->clock().now();
  world.set_drift(machine, 1000);
  world.run_for(1000s);
  world.crash(machine);
  world.set_drift(machine, 0);
  REQUIRE(world.start(machine));
  CHECK(machine.platform()->clock().wall() == world.outside().clock().wall() + 1s);
  CHECK(machine.platform()->clock().now() != monotonic + 1001s);
}

}  // namespace
}  // namespace troupe::simulations
