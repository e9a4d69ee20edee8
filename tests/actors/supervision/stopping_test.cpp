// How children are stopped, and that none outlives its supervisor.
#include <doctest/doctest.h>

#include "stage.hpp"

using namespace troupe;
using namespace troupe::actors;
using namespace troupe::actors::supervision_test;

namespace {}  // namespace

TEST_CASE("children start in order and stop in reverse order") {
  Stage stage;
  stage.start(stage.children(Strategy::one_for_one, {p, p, p}));
  stage.ask_root_to_end();
  CHECK(stage.take_notes() == Notes{"+a", "+b", "+c", "-c", "-b", "-a"});
  CHECK(stage.root_reason() == caf::exit_reason::user_shutdown);
  CHECK(stage.node({}).state == TreeState::stopped);
  CHECK(stage.node({"b"}).state == TreeState::stopped);
}

TEST_CASE("a supervisor ends with the reason it was asked with") {
  Stage stage;
  stage.start(stage.children(Strategy::one_for_one, {p}));
  stage.ask_root_to_end(to_caf_error(unavailable("DRAINING", "the node drains")));
  CHECK(stage.root_error() == unavailable("DRAINING", "the node drains"));
  CHECK(stage.take_notes() == Notes{"+a", "-a"});
}

TEST_CASE("a supervisor that stops already is not moved by a second request") {
  Stage stage;
  stage.start(stage.children(Strategy::one_for_one, {p, p}));
  stage.deaf = {"a"};
  stage.ask_root_to_end(to_caf_error(unavailable("FIRST", "first")));
  stage.advance(4s);
  stage.ask_root_to_end(to_caf_error(unavailable("SECOND", "second")));
  stage.advance(1s - 1ns);
  CHECK_FALSE(stage.root_ended());
  stage.advance(1ns);
  CHECK(stage.root_error().reason == "FIRST");
}

TEST_CASE("an exit message with reason normal does not end a supervisor") {
  Stage stage;
  stage.start(stage.children(Strategy::one_for_one, {p}));
  stage.ask_root_to_end(caf::error{});
  CHECK_FALSE(stage.root_ended());
  CHECK(stage.alive("a"));
}

TEST_CASE("a child that ignores its exit is killed when its time is over") {
  Stage stage;
  auto spec = stage.children(Strategy::one_for_one, {p, p});
  spec.children[1].shutdown = 300ms;
  stage.start(spec);
  stage.deaf = {"b"};
  stage.take_notes();
  stage.ask_root_to_end();
  CHECK(stage.node({}).state == TreeState::stopping);
  CHECK(stage.node({"b"}).state == TreeState::stopping);
  CHECK(stage.node({"a"}).state == TreeState::running);
  stage.advance(300ms - 1ns);
  CHECK(stage.take_notes().empty());  // a waits for b
  stage.advance(1ns);
  CHECK(stage.take_notes() == Notes{"-b", "-a"});
  CHECK(stage.root_ended());
  CHECK(stage.log("supervisor.kill").size() == 1);
}

TEST_CASE("a child with no time to end is killed at once") {
  Stage stage;
  auto spec = stage.children(Strategy::one_for_one, {p});
  spec.children[0].shutdown = 0ns;
  stage.start(spec);
  stage.deaf = {"a"};
  stage.ask_root_to_end();
  CHECK(stage.root_ended());
}

TEST_CASE("a child with Duration::max() is never killed") {
  Stage stage;
  auto spec = stage.children(Strategy::one_for_one, {p});
  spec.children[0].shutdown = Duration::max();
  stage.start(spec);
  stage.deaf = {"a"};
  stage.ask_root_to_end();
  stage.advance(24h);
  CHECK_FALSE(stage.root_ended());
  stage.finish("a");
  CHECK(stage.root_ended());
}

TEST_CASE("the time to end of one child is not the time of the next") {
  Stage stage;
  auto spec = stage.children(Strategy::one_for_one, {p, p});
  spec.children[0].shutdown = 100ms;
  spec.children[1].shutdown = 100ms;
  stage.start(spec);
  stage.deaf = {"a", "b"};
  stage.ask_root_to_end();
  stage.advance(50ms);
  stage.finish("b");  // its 100 ms go on running
  stage.take_notes();
  stage.advance(100ms - 1ns);
  CHECK(stage.take_notes().empty());
  stage.advance(1ns);
  CHECK(stage.take_notes() == Notes{"-a"});
}

TEST_CASE("a sibling that ignores its exit delays a restart, and is killed") {
  Stage stage;
  auto spec = stage.children(Strategy::one_for_all, {p, p});
  spec.children[1].shutdown = 200ms;
  stage.start(spec);
  stage.deaf = {"b"};
  stage.take_notes();
  stage.fail("a");
  stage.advance(200ms - 1ns);
  CHECK(stage.take_notes() == Notes{"-a"});
  stage.advance(1ns);  // the back-off of a is over by then
  CHECK(stage.take_notes() == Notes{"-b", "+a", "+b"});
}

TEST_CASE(
    "rest_for_one: a child that fails while later ones are stopped is dealt with after that") {
  Stage stage;
  stage.start(stage.children(Strategy::rest_for_one, {p, p, p}));
  stage.take_notes();
  stage.deaf = {"c"};
  stage.fail("b");  // c is asked, and stays for 5 s
  stage.advance(1s);
  stage.fail("a");
  stage.advance(1s);
  CHECK(stage.take_notes() == Notes{"-b", "-a"});
  stage.advance(3s);
  CHECK(stage.take_notes() == Notes{"-c", "+a", "+b", "+c"});
  CHECK(stage.log("supervisor.restart").size() == 2);
}

TEST_CASE("a sibling that ends by itself before it is asked is not waited for") {
  Stage stage;
  stage.start(stage.children(Strategy::one_for_all, {p, Restart::temporary, p}));
  stage.take_notes();
  stage.deaf = {"c"};
  stage.fail("a");
  stage.fail("b");  // c is still being stopped
  stage.advance(5s);
  CHECK(stage.take_notes() == Notes{"-a", "-b", "-c", "+a", "+c"});
  CHECK(stage.log("supervisor.restart").size() == 1);
  CHECK(stage.node({"b"}).state == TreeState::stopped);
}

TEST_CASE("a supervisor asked to end while it stops siblings stops them all and restarts none") {
  Stage stage;
  auto spec = stage.children(Strategy::rest_for_one, {p, p, p});
  spec.children[2].shutdown = 100ms;
  stage.start(spec);
  stage.take_notes();
  stage.deaf = {"c"};
  stage.fail("b");
  stage.advance(60ms);
  stage.ask_root_to_end();
  CHECK_FALSE(stage.root_ended());
  stage.advance(40ms);  // the time that c was given goes on, it does not begin anew
  CHECK(stage.root_ended());
  CHECK(stage.take_notes() == Notes{"-b", "-c", "-a"});
}

TEST_CASE("a supervisor asked to end while a restart waits restarts nothing") {
  Stage stage;
  stage.start(stage.children(Strategy::one_for_one, {p, p}));
  stage.fail("a");
  stage.take_notes();
  stage.deaf = {"b"};
  stage.ask_root_to_end();
  stage.advance(1s);  // the back-off of a ends in this time
  CHECK(stage.node({}).state == TreeState::stopping);
  stage.advance(4s);
  CHECK(stage.root_ended());
  CHECK(stage.take_notes() == Notes{"-b"});
}

TEST_CASE("a killed supervisor takes its children with it, to the leaves") {
  Stage stage;
  auto inner = stage.children(Strategy::one_for_one, {p, p});
  SupervisorSpec spec;
  spec.children.push_back(stage.supervisor("inner", {"inner"}, inner));
  stage.start(spec);
  stage.deaf = {"a"};
  stage.ask_root_to_end(caf::exit_reason::kill);
  CHECK(stage.root_ended());
  for (const auto* id : {"inner", "a", "b"}) CHECK_FALSE(stage.alive(id));
}

TEST_CASE("a supervisor that fails itself says why and takes its children with it") {
  Stage stage;
  stage.start(stage.children(Strategy::one_for_one, {p, p}));
  stage.platform.failing_log = true;
  stage.fail("a");
  CHECK(stage.root_ended());
  CHECK(stage.root_error() == internal("UNHANDLED_EXCEPTION", "no log today"));
  CHECK_FALSE(stage.alive("b"));
  CHECK(stage.node({}).state == TreeState::failed);
}

TEST_CASE("a supervisor that has ended holds nothing of its children's specifications") {
  Stage stage;
  auto held = std::make_shared<int>(0);
  const std::weak_ptr<int> seen = held;
  auto spec = stage.children(Strategy::one_for_one, {p});
  spec.children[0].start = [held, start = spec.children[0].start](auto* self) {
    return start(self);
  };
  held = nullptr;
  stage.start(std::move(spec));
  CHECK_FALSE(seen.expired());
  stage.ask_root_to_end();
  CHECK(seen.expired());
}

TEST_CASE("children end when the last handle to their supervisor is dropped") {
  Stage stage;
  {
    const auto supervisor = spawn_supervisor(stage.system(), {&stage.platform, stage.tree}, {},
                                             stage.children(Strategy::one_for_one, {p, p}));
    stage.run();
    CHECK(stage.alive("b"));
  }
  stage.run();
  CHECK_FALSE(stage.alive("a"));
  CHECK_FALSE(stage.alive("b"));
}
