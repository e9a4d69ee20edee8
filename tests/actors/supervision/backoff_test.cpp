// How long a restart waits.
#include <doctest/doctest.h>

#include "actors/restart_policy.hpp"
#include "stage.hpp"

using namespace troupe;
using namespace troupe::actors;
using namespace troupe::actors::supervision_test;

namespace {

// Lets `a` fail and returns how long its restart takes.
Duration restart_time(Stage& stage) {
  stage.fail("a");
  const auto failed = stage.now();
  auto& clock = stage.coordinator().clock();
  REQUIRE_FALSE(clock.schedule().empty());
  const auto due = clock.schedule().begin()->first;
  stage.advance(due - failed - 1ns);
  CHECK_FALSE(stage.alive("a"));
  stage.advance(1ns);
  CHECK(stage.alive("a"));
  return due - failed;
}

SupervisorSpec one(Stage& stage, Backoff backoff) {
  auto spec = stage.children(Strategy::one_for_one, {Restart::permanent});
  spec.backoff = backoff;
  spec.intensity = 100;
  return spec;
}

}  // namespace

TEST_CASE("each restart in a row waits twice as long, up to the maximum") {
  Stage stage;
  stage.start(one(stage, {10ms, 100ms, 0.0}));
  for (const Duration expected : {10ms, 20ms, 40ms, 80ms, 100ms, 100ms})
    CHECK(restart_time(stage) == expected);
}

TEST_CASE("a child that stayed up for the period starts again from the first delay") {
  Stage stage;
  stage.start(one(stage, {10ms, 5s, 0.0}));
  CHECK(restart_time(stage) == 10ms);
  stage.advance(5s - 1ns);
  CHECK(restart_time(stage) == 20ms);
  stage.advance(5s);
  CHECK(restart_time(stage) == 10ms);
}

TEST_CASE("starts that fail lengthen the delay of the next") {
  Stage stage;
  stage.start(one(stage, {10ms, 5s, 0.0}));
  stage.failing_starts = {"a"};
  stage.fail("a");
  stage.take_notes();
  stage.advance(10ms);
  CHECK(stage.take_notes() == Notes{"!a"});
  stage.advance(20ms - 1ns);
  CHECK(stage.take_notes().empty());
  stage.advance(1ns);
  CHECK(stage.take_notes() == Notes{"!a"});
  stage.failing_starts.clear();
  stage.advance(40ms);
  CHECK(stage.take_notes() == Notes{"+a"});
}

TEST_CASE("children wait by their own failures in a row") {
  Stage stage;
  auto spec = stage.children(Strategy::one_for_one, {Restart::permanent, Restart::permanent});
  spec.intensity = 100;
  stage.start(spec);
  CHECK(restart_time(stage) == 10ms);
  CHECK(restart_time(stage) == 20ms);
  stage.fail("b");
  stage.advance(10ms);
  CHECK(stage.alive("b"));
}

TEST_CASE("jitter shortens a delay by what the platform's random source says") {
  Stage stage;
  stage.start(one(stage, {10ms, 5s, 0.5}));
  stage.platform.next_random = 0;
  CHECK(restart_time(stage) == 10ms);
  stage.platform.next_random = 5'000'000;  // the whole half of 10 ms
  stage.advance(5s);
  CHECK(restart_time(stage) == 5ms);
  stage.platform.next_random = 1'234'567;
  stage.advance(5s);
  CHECK(restart_time(stage) == 10ms - 1'234'567ns);
  stage.platform.next_random = 5'000'001;  // one past the range comes out at its begin
  stage.advance(5s);
  CHECK(restart_time(stage) == 10ms);
}

TEST_CASE("no delay at all is a restart at once") {
  Stage stage;
  stage.start(one(stage, {0ns, 5s, 0.2}));
  stage.take_notes();
  stage.fail("a");
  stage.advance(0ns);
  CHECK(stage.take_notes() == Notes{"-a", "+a"});
}

TEST_CASE("a delay neither overflows nor exceeds its maximum after many failures") {
  FakePlatform platform;
  CHECK(backoff_delay({10ms, Duration::max(), 0.0}, 4000, platform.random()) == Duration::max());
  CHECK(backoff_delay({10ms, 5s, 0.0}, 4'000'000'000U, platform.random()) == 5s);
  CHECK(backoff_delay({0ns, 5s, 0.2}, 4'000'000'000U, platform.random()) == 0ns);
  CHECK(backoff_delay({9s, 5s, 0.0}, 1, platform.random()) == 5s);
}
