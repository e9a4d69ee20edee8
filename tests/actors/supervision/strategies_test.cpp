// Which children are restarted: each strategy with each restart kind.
#include <doctest/doctest.h>

#include "stage.hpp"

using namespace troupe;
using namespace troupe::actors;
using namespace troupe::actors::supervision_test;

namespace {

constexpr auto t = Restart::transient;
constexpr auto o = Restart::temporary;

// Starts a, b, c of these kinds, lets `what` happen to b, waits, and returns what happened.
Notes after(Strategy strategy, std::vector<Restart> kinds,
            const std::function<void(Stage&)>& what) {
  Stage stage;
  stage.start(stage.children(strategy, std::move(kinds)));
  CHECK(stage.take_notes() == Notes{"+a", "+b", "+c"});
  what(stage);
  stage.advance(1s);
  CHECK_FALSE(stage.root_ended());
  return stage.take_notes();
}

void b_fails(Stage& stage) {
  stage.fail("b");
}
void b_finishes(Stage& stage) {
  stage.finish("b");
}
void b_is_shut_down(Stage& stage) {
  stage.end("b", caf::exit_reason::user_shutdown);
}
void b_is_killed(Stage& stage) {
  stage.end("b", caf::exit_reason::kill);
}

}  // namespace

TEST_CASE("one_for_one restarts the child that ended, and no other") {
  const auto one = Strategy::one_for_one;
  CHECK(after(one, {p, p, p}, b_fails) == Notes{"-b", "+b"});
  CHECK(after(one, {p, t, p}, b_fails) == Notes{"-b", "+b"});
  CHECK(after(one, {p, o, p}, b_fails) == Notes{"-b"});
}

TEST_CASE("one_for_all stops the others, last first, and starts all in order") {
  const auto all = Strategy::one_for_all;
  CHECK(after(all, {p, p, p}, b_fails) == Notes{"-b", "-c", "-a", "+a", "+b", "+c"});
  CHECK(after(all, {p, t, p}, b_fails) == Notes{"-b", "-c", "-a", "+a", "+b", "+c"});
  CHECK(after(all, {p, o, p}, b_fails) == Notes{"-b"});
}

TEST_CASE("rest_for_one restarts the child that ended and those after it") {
  const auto rest = Strategy::rest_for_one;
  CHECK(after(rest, {p, p, p}, b_fails) == Notes{"-b", "-c", "+b", "+c"});
  CHECK(after(rest, {p, t, p}, b_fails) == Notes{"-b", "-c", "+b", "+c"});
  CHECK(after(rest, {p, o, p}, b_fails) == Notes{"-b"});
}

TEST_CASE("an orderly end restarts a permanent child only") {
  for (const auto how : {b_finishes, b_is_shut_down}) {
    CHECK(after(Strategy::one_for_one, {p, p, p}, how) == Notes{"-b", "+b"});
    CHECK(after(Strategy::one_for_one, {p, t, p}, how) == Notes{"-b"});
    CHECK(after(Strategy::one_for_one, {p, o, p}, how) == Notes{"-b"});
    CHECK(after(Strategy::one_for_all, {p, p, p}, how) ==
          Notes{"-b", "-c", "-a", "+a", "+b", "+c"});
    CHECK(after(Strategy::one_for_all, {p, t, p}, how) == Notes{"-b"});
    CHECK(after(Strategy::one_for_all, {p, o, p}, how) == Notes{"-b"});
    CHECK(after(Strategy::rest_for_one, {p, p, p}, how) == Notes{"-b", "-c", "+b", "+c"});
    CHECK(after(Strategy::rest_for_one, {p, t, p}, how) == Notes{"-b"});
    CHECK(after(Strategy::rest_for_one, {p, o, p}, how) == Notes{"-b"});
  }
}

TEST_CASE("a child that someone killed has failed") {
  CHECK(after(Strategy::one_for_one, {p, t, p}, b_is_killed) == Notes{"-b", "+b"});
  CHECK(after(Strategy::one_for_one, {p, o, p}, b_is_killed) == Notes{"-b"});
}

TEST_CASE("a temporary sibling that is stopped with the others is not started again") {
  CHECK(after(Strategy::one_for_all, {o, p, o}, b_fails) == Notes{"-b", "-c", "-a", "+b"});
  CHECK(after(Strategy::rest_for_one, {o, p, o}, b_fails) == Notes{"-b", "-c", "+b"});
}

TEST_CASE("a transient sibling that had ended is started again with the others") {
  Stage stage;
  stage.start(stage.children(Strategy::one_for_all, {p, p, t}));
  stage.finish("c");
  stage.advance(1s);
  CHECK(stage.take_notes() == Notes{"+a", "+b", "+c", "-c"});
  CHECK(stage.node({"c"}).state == TreeState::stopped);
  stage.fail("a");
  CHECK(stage.node({"c"}).state == TreeState::restarting);
  stage.advance(1s);
  CHECK(stage.take_notes() == Notes{"-a", "-b", "+a", "+b", "+c"});
}

TEST_CASE("one_for_one restarts two children that wait at the same time on their own") {
  Stage stage;
  auto spec = stage.children(Strategy::one_for_one, {p, p, p});
  stage.start(spec);
  stage.take_notes();
  stage.fail("c");
  stage.advance(5ms);
  stage.fail("a");
  CHECK(stage.take_notes() == Notes{"-c", "-a"});
  stage.advance(5ms);
  CHECK(stage.take_notes() == Notes{"+c"});
  stage.advance(5ms);
  CHECK(stage.take_notes() == Notes{"+a"});
}

TEST_CASE("rest_for_one: an earlier child that fails while later ones wait takes them along") {
  Stage stage;
  stage.start(stage.children(Strategy::rest_for_one, {p, p, p}));
  stage.take_notes();
  stage.fail("c");
  stage.advance(5ms);
  stage.fail("a");
  CHECK(stage.take_notes() == Notes{"-c", "-a", "-b"});
  stage.advance(5ms);
  CHECK(stage.take_notes().empty());  // c, too, waits for a now
  stage.advance(5ms);
  CHECK(stage.take_notes() == Notes{"+a", "+b", "+c"});
}

TEST_CASE("a restart with siblings waits for the longest back-off among them") {
  Stage stage;
  auto spec = stage.children(Strategy::rest_for_one, {p, p});
  spec.intensity = 9;
  stage.start(spec);
  for (int i = 0; i < 3; ++i) {
    stage.fail("b");
    stage.advance(i == 0 ? 10ms : 20ms);
  }
  // b waits 40 ms for the third time, of which 20 are over; a would wait 10.
  stage.take_notes();
  stage.fail("a");
  stage.advance(20ms - 1ns);
  CHECK(stage.take_notes() == Notes{"-a"});
  stage.advance(1ns);
  CHECK(stage.take_notes() == Notes{"+a", "+b"});
}
