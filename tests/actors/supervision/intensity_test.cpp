// When a supervisor gives up.
#include <doctest/doctest.h>

#include "stage.hpp"

using namespace troupe;
using namespace troupe::actors;
using namespace troupe::actors::supervision_test;

namespace {

SupervisorSpec two_within_a_second(Stage& stage, Strategy strategy = Strategy::one_for_one) {
  auto spec = stage.children(strategy, {Restart::permanent, Restart::permanent});
  spec.intensity = 2;
  spec.period = 1s;
  spec.backoff = {1ms, 1ms, 0.0};
  return spec;
}

}  // namespace

TEST_CASE("as many restarts as the intensity are tolerated, one more is not") {
  Stage stage;
  stage.start(two_within_a_second(stage));
  stage.fail("a");
  stage.advance(1ms);
  stage.fail("b");  // any child counts
  stage.advance(1ms);
  CHECK_FALSE(stage.root_ended());
  CHECK(stage.take_notes() == Notes{"+a", "+b", "-a", "+a", "-b", "+b"});
  stage.fail("a", "the third");
  CHECK(stage.root_ended());
  CHECK(stage.take_notes() == Notes{"-a", "-b"});  // the others are stopped, nothing is restarted
  CHECK(stage.root_error().reason == "SUPERVISOR_INTENSITY");
  CHECK(stage.root_error().message ==
        "supervisor / gave up after 3 failures within 1000 ms; the last was of child a: "
        "UNHANDLED_EXCEPTION: the third");
}

TEST_CASE("limits that change while a supervisor runs hold from the next failure on") {
  Stage stage;
  stage.start(two_within_a_second(stage));
  stage.fail("a");
  stage.advance(1ms);
  stage.limit_root({.intensity = 4, .period = 1min, .backoff = {20ms, 20ms, 0.0}});
  for (int i = 0; i < 3; ++i) {
    stage.fail("a");
    stage.advance(19ms);
    CHECK_FALSE(stage.alive("a"));
    stage.advance(1ms);
    CHECK(stage.alive("a"));
  }
  stage.advance(30s);
  CHECK_FALSE(stage.root_ended());
  stage.fail("a", "the fifth");
  CHECK(stage.root_ended());
  CHECK(stage.root_error().message.starts_with("supervisor / gave up after 5 failures within 60"));
}

TEST_CASE("a restart exactly one period ago still counts, as in OTP") {
  Stage stage;
  stage.start(two_within_a_second(stage));
  stage.fail("a");
  stage.advance(500ms);
  stage.fail("a");
  stage.advance(500ms);
  stage.fail("a");
  CHECK(stage.root_ended());
}

TEST_CASE("a restart more than one period ago no longer counts") {
  Stage stage;
  stage.start(two_within_a_second(stage));
  for (int i = 0; i < 20; ++i) {
    stage.fail("a");
    stage.advance(500ms + 1ns);
  }
  CHECK_FALSE(stage.root_ended());
  CHECK(stage.restarts("/a") == 20);
}

TEST_CASE("a restart with siblings counts once") {
  Stage stage;
  stage.start(two_within_a_second(stage, Strategy::one_for_all));
  stage.fail("a");
  stage.advance(1ms);
  stage.fail("a");
  stage.advance(1ms);
  CHECK_FALSE(stage.root_ended());
  stage.fail("a");
  CHECK(stage.root_ended());
}

TEST_CASE("intensity 0 tolerates no restart") {
  Stage stage;
  auto spec = two_within_a_second(stage);
  spec.intensity = 0;
  stage.start(spec);
  stage.fail("b");
  CHECK(stage.root_ended());
  CHECK(stage.take_notes() == Notes{"+a", "+b", "-b", "-a"});
}

TEST_CASE("ends that are not followed by a restart do not count") {
  Stage stage;
  auto spec = stage.children(Strategy::one_for_one,
                             {Restart::temporary, Restart::temporary, Restart::transient});
  spec.intensity = 0;
  stage.start(spec);
  stage.fail("a");
  stage.finish("b");
  stage.finish("c");
  CHECK_FALSE(stage.root_ended());
}

TEST_CASE("a start that fails counts as a restart, and escalates when it keeps failing") {
  Stage stage;
  stage.start(two_within_a_second(stage));
  stage.failing_starts = {"b"};
  stage.fail("b");
  stage.advance(1ms);
  CHECK_FALSE(stage.root_ended());
  stage.advance(1ms);
  CHECK(stage.root_ended());
  CHECK(stage.take_notes() == Notes{"+a", "+b", "-b", "!b", "!b", "-a"});
  CHECK(stage.root_error().message.find("its start failed: no b today") != std::string::npos);
}

TEST_CASE("a child that cannot be started at first is tried again, and those after it wait") {
  Stage stage;
  stage.failing_starts = {"b"};
  stage.start(stage.children(Strategy::one_for_one,
                             {Restart::permanent, Restart::transient, Restart::permanent}));
  CHECK(stage.take_notes() == Notes{"+a", "!b"});
  CHECK(stage.node({}).state == TreeState::starting);
  CHECK(stage.node({"b"}).state == TreeState::restarting);
  CHECK(stage.node({"b"}).last_failure == "its start failed: no b today");
  CHECK(stage.node({"c"}).state == TreeState::starting);

  SUBCASE("until it can") {
    stage.advance(5ms);
    stage.fail("a");  // meanwhile an earlier one fails: that does not start c
    stage.failing_starts.clear();
    stage.advance(5ms);
    CHECK(stage.take_notes() == Notes{"-a", "+b", "+c"});
    stage.advance(5ms);
    CHECK(stage.take_notes() == Notes{"+a"});
    CHECK(stage.node({}).state == TreeState::running);
  }
  SUBCASE("and the restart of another child changes nothing about that") {
    stage.fail("a");
    stage.advance(10ms);
    CHECK(stage.take_notes() == Notes{"-a", "!b", "+a"});
    CHECK(stage.node({}).state == TreeState::starting);
    CHECK(stage.node({"c"}).state == TreeState::starting);
  }
  SUBCASE("or the supervisor gives up and stops what it had started") {
    stage.advance(1s);
    CHECK(stage.root_ended());
    CHECK(stage.take_notes() == Notes{"!b", "!b", "!b", "-a"});
  }
}

TEST_CASE("one_for_all: a start that fails midway stops those that were started before it") {
  Stage stage;
  stage.start(stage.children(Strategy::one_for_all,
                             {Restart::permanent, Restart::permanent, Restart::permanent}));
  stage.take_notes();
  stage.failing_starts = {"b"};
  stage.fail("c");
  stage.advance(10ms);
  CHECK(stage.take_notes() == Notes{"-c", "-b", "-a", "+a", "!b", "-a"});
  stage.failing_starts.clear();
  stage.advance(10ms);
  CHECK(stage.take_notes() == Notes{"+a", "+b", "+c"});
}

TEST_CASE("rest_for_one: a start that fails midway keeps those that were started before it") {
  Stage stage;
  stage.start(stage.children(Strategy::rest_for_one,
                             {Restart::permanent, Restart::permanent, Restart::permanent}));
  stage.take_notes();
  stage.failing_starts = {"b"};
  stage.fail("a");
  stage.advance(10ms);
  CHECK(stage.take_notes() == Notes{"-a", "-c", "-b", "+a", "!b"});
  stage.failing_starts.clear();
  stage.advance(10ms);
  CHECK(stage.take_notes() == Notes{"+b", "+c"});
}

TEST_CASE("a temporary child that cannot be started is left out") {
  Stage stage;
  stage.failing_starts = {"a"};
  stage.start(stage.children(Strategy::one_for_one, {Restart::temporary, Restart::permanent}));
  stage.advance(1s);
  CHECK(stage.take_notes() == Notes{"!a", "+b"});
  CHECK(stage.node({"a"}).state == TreeState::failed);
  CHECK(stage.log("supervisor.start_failed").size() == 1);
}

TEST_CASE("a temporary child waits, too, for one that cannot be started yet, and is then started") {
  for (const auto strategy :
       {Strategy::one_for_one, Strategy::one_for_all, Strategy::rest_for_one}) {
    Stage stage;
    stage.failing_starts = {"a"};
    stage.start(stage.children(strategy, {Restart::permanent, Restart::temporary}));
    stage.advance(10ms);
    CHECK(stage.take_notes() == Notes{"!a", "!a"});
    stage.failing_starts.clear();
    stage.advance(20ms);
    CHECK(stage.take_notes() == Notes{"+a", "+b"});
  }
}

TEST_CASE("a start function that returns no actor has failed") {
  Stage stage;
  auto spec = stage.children(Strategy::one_for_one, {Restart::permanent});
  spec.children[0].start = [](caf::event_based_actor*) { return caf::actor{}; };
  spec.intensity = 0;
  stage.start(spec);
  CHECK(stage.root_ended());
  CHECK(stage.root_error().message.find("its start function returned no actor") !=
        std::string::npos);
}

TEST_CASE("a child that throws in its own first step is restarted like any other") {
  Stage stage;
  SupervisorSpec spec;
  int starts = 0;
  spec.children.push_back({"a", [&starts](caf::event_based_actor* supervisor) {
                             ++starts;
                             return supervisor->spawn([](caf::event_based_actor* self) {
                               end_on_exception(self);
                               throw std::runtime_error("cannot begin");
                               return caf::behavior{};
                             });
                           }});
  stage.start(spec);
  stage.advance(1s);
  CHECK(starts == 4);
  CHECK(stage.root_ended());
  CHECK(stage.root_error().message.find("cannot begin") != std::string::npos);
}
