#include "simulations/world/workers.hpp"

#include <doctest/doctest.h>

#include "tests/simulations/world/support.hpp"

namespace troupe::simulations {
namespace {

using Kind = runtime::Workers::Kind;

struct OneMachine {
  World world;
  Machine& machine;
  explicit OneMachine(std::uint64_t seed = 1)
      : world{{.seed = seed}}, machine{world.add("node-1", bare_process())} {
    REQUIRE(world.start(machine));
  }
  runtime::Workers& workers() { return machine.platform()->workers(); }
};

TEST_CASE("jobs run one at a time, in order, each after some time, never inside post()") {
  OneMachine one;
  const auto queue = one.workers().queue("log", Kind::dedicated);
  std::string order;
  std::vector<Duration> times;
  for (const char name : {'a', 'b', 'c'}) {
    queue->post([&, name] {
      order += name;
      times.push_back(one.world.now());
    });
  }
  CHECK(order.empty());
  REQUIRE(one.world.run_until([&] { return times.size() == 3; }, 1s));
  CHECK(order == "abc");
  const WorkTimes bounds;
  Duration last{};
  for (const auto time : times) {
    CHECK(time - last >= bounds.min);
    CHECK(time - last <= bounds.max);
    last = time;
  }
}

TEST_CASE("queues do not wait for each other") {
  OneMachine one;
  const auto slow = one.workers().queue("slow", Kind::pooled);
  const auto quick = one.workers().queue("quick", Kind::pooled);
  int slow_done = 0;
  bool quick_done = false;
  for (int i = 0; i < 100; ++i) slow->post([&] { ++slow_done; });
  quick->post([&] { quick_done = true; });
  REQUIRE(one.world.run_until([&] { return quick_done; }, 1s));
  CHECK(slow_done < 100);
}

TEST_CASE("a queue that is destroyed finishes what was posted before") {
  OneMachine one;
  auto queue = one.workers().queue("log", Kind::dedicated);
  int done = 0;
  queue->post([&] { ++done; });
  queue->post([&] { ++done; });
  queue.reset();
  CHECK(done == 2);
  one.world.run_for(1s);
  CHECK(done == 2);
}

TEST_CASE("a crash drops the jobs that wait, and what they hold") {
  OneMachine one;
  auto queue = one.workers().queue("log", Kind::dedicated);
  bool ran = false;
  const auto held = std::make_shared<int>();
  queue->post([&ran, held] { ran = true; });
  one.machine.platform()->fail_stop(internal("the test says so"));
  queue->post([&ran, held] { ran = true; });
  queue.reset();
  CHECK(held.use_count() == 1);
  one.world.run_for(1s);
  CHECK_FALSE(ran);
  CHECK(one.machine.crashed()->message == "the test says so");
}

TEST_CASE("a slow disk delays completions by what was drawn") {
  OneMachine one;
  one.machine.hardware.disk_faults.slow_jobs = 1'000'000;
  one.machine.hardware.disk_faults.slow_by_max = 1s;
  const auto queue = one.workers().queue("log", Kind::dedicated);
  int done = 0;
  for (int i = 0; i < 20; ++i) queue->post([&] { ++done; });
  REQUIRE(one.world.run_until([&] { return done == 20; }, 1min));
  CHECK(one.world.now() > 4s);
  CHECK(one.world.now() < 20s + 40ms);
}

}  // namespace
}  // namespace troupe::simulations
