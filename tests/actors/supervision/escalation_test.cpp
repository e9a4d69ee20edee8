// Failures that climb a tree of supervisors, and what is told of them.
#include <doctest/doctest.h>

#include "stage.hpp"

using namespace troupe;
using namespace troupe::actors;
using namespace troupe::actors::supervision_test;

namespace {

// root -> inner -> a, b; and a leaf beside inner.
SupervisorSpec nested(Stage& stage, unsigned root_intensity, unsigned inner_intensity) {
  auto inner = stage.children(Strategy::one_for_one, {Restart::permanent, Restart::permanent});
  inner.intensity = inner_intensity;
  inner.period = 1h;
  SupervisorSpec root;
  root.intensity = root_intensity;
  root.period = 1h;
  root.backoff = {10ms, 5s, 0.0};
  root.children.push_back(stage.child("leaf"));
  root.children.push_back(stage.supervisor("inner", {"inner"}, inner));
  return root;
}

}  // namespace

TEST_CASE("a supervisor that gives up is restarted by its own, with all its children") {
  Stage stage;
  stage.start(nested(stage, 1, 1));
  CHECK(stage.take_notes() == Notes{"+leaf", "+inner", "+a", "+b"});
  stage.fail("a");
  stage.advance(10ms);
  stage.fail("a");
  CHECK(stage.take_notes() == Notes{"-a", "+a", "-a", "-b", "-inner"});
  stage.advance(10ms);
  CHECK(stage.take_notes() == Notes{"+inner", "+a", "+b"});
  CHECK_FALSE(stage.root_ended());

  const auto inner = stage.node({"inner"});
  CHECK(inner.state == TreeState::running);
  CHECK(inner.restarts == 1);
  CHECK(inner.last_failure.find("SUPERVISOR_INTENSITY: supervisor /inner gave up") == 0);
  CHECK(stage.node({"inner", "a"}).restarts == 1);  // kept over its supervisor's restart
}

TEST_CASE("a failure that no supervisor can mend reaches the root and ends it with the reason") {
  Stage stage;
  stage.start(nested(stage, 1, 0));
  stage.fail("a", "first");
  stage.advance(10ms);
  stage.take_notes();
  stage.fail("b", "second");
  CHECK(stage.root_ended());
  CHECK(stage.take_notes() == Notes{"-b", "-a", "-inner", "-leaf"});
  const auto error = stage.root_error();
  CHECK(error.code == Code::internal);
  CHECK(error.reason == "SUPERVISOR_INTENSITY");
  CHECK(error.message.find("supervisor / gave up after 2 failures") == 0);
  CHECK(error.message.find("supervisor /inner gave up after 1 failures") != std::string::npos);
  CHECK(error.message.find("child b: UNHANDLED_EXCEPTION: second") != std::string::npos);
  CHECK(stage.node({}).state == TreeState::failed);
}

TEST_CASE("every restart makes one report and counts in the metric") {
  Stage stage;
  auto spec = nested(stage, 1, 5);
  stage.start(spec);
  CHECK(stage.restarts("/inner/a") == 0);
  stage.fail("a", "first");
  stage.advance(10ms);
  stage.fail("a", "second");
  stage.advance(20ms);
  stage.fail("leaf", "third");
  stage.advance(10ms);

  const auto reports = stage.log("supervisor.restart");
  REQUIRE(reports.size() == 3);
  CHECK(reports[0].level == runtime::LogLevel::warn);
  CHECK(reports[0].fields.at("supervisor") == "/inner");
  CHECK(reports[0].fields.at("child") == "a");
  CHECK(reports[0].fields.at("reason") == "UNHANDLED_EXCEPTION: first");
  CHECK(reports[0].fields.at("restarts_in_window") == "1");
  CHECK(std::stod(reports[0].fields.at("delay_ms")) == 10);
  CHECK(reports[1].fields.at("reason") == "UNHANDLED_EXCEPTION: second");
  CHECK(reports[1].fields.at("restarts_in_window") == "2");
  CHECK(std::stod(reports[1].fields.at("delay_ms")) == 20);
  CHECK(reports[2].fields.at("supervisor") == "/");
  CHECK(reports[2].fields.at("child") == "leaf");
  CHECK(stage.restarts("/inner/a") == 2);
  CHECK(stage.restarts("/leaf") == 1);
  CHECK(stage.restarts("/inner") == 0);
}

TEST_CASE("giving up is reported as an error, with the last failure") {
  Stage stage;
  stage.start(nested(stage, 1, 0));
  stage.fail("a");
  const auto reports = stage.log("supervisor.escalation");
  REQUIRE(reports.size() == 1);
  CHECK(reports[0].level == runtime::LogLevel::error);
  CHECK(reports[0].fields.at("supervisor") == "/inner");
  CHECK(reports[0].fields.at("child") == "a");
  CHECK(reports[0].fields.at("intensity") == "0");
}

TEST_CASE("a temporary child's failure is reported, although nothing is restarted") {
  Stage stage;
  stage.start(stage.children(Strategy::one_for_one, {Restart::temporary}));
  stage.fail("a");
  const auto reports = stage.log("supervisor.failed");
  REQUIRE(reports.size() == 1);
  CHECK(reports[0].fields.at("reason") == "UNHANDLED_EXCEPTION: boom");
  CHECK(stage.node({"a"}).state == TreeState::failed);
  CHECK(stage.node({"a"}).last_failure == "UNHANDLED_EXCEPTION: boom");
}

TEST_CASE("the tree shows who is up, who waits and who was stopped") {
  Stage stage;
  stage.start(nested(stage, 1, 1));
  auto root = stage.tree->snapshot();
  CHECK(root.id == "n1");
  CHECK(root.supervisor);
  CHECK(root.state == TreeState::running);
  REQUIRE(root.children.size() == 2);
  CHECK(root.children[0].id == "leaf");
  CHECK_FALSE(root.children[0].supervisor);
  CHECK(root.children[0].state == TreeState::running);
  CHECK(root.children[1].id == "inner");
  CHECK(root.children[1].supervisor);
  CHECK(root.children[1].state == TreeState::running);
  REQUIRE(root.children[1].children.size() == 2);

  stage.fail("a");
  CHECK(stage.node({"inner", "a"}).state == TreeState::restarting);
  CHECK(stage.node({"inner", "b"}).state == TreeState::running);
  stage.advance(10ms);
  CHECK(stage.node({"inner", "a"}).state == TreeState::running);
  CHECK(stage.node({"inner", "a"}).restarts == 1);
  CHECK(stage.node({"inner", "b"}).restarts == 0);

  stage.fail("a");
  CHECK(stage.node({"inner"}).state == TreeState::restarting);
  CHECK(stage.node({"inner", "b"}).state == TreeState::stopped);
}

TEST_CASE("siblings that are stopped to be restarted are shown as restarting") {
  Stage stage;
  stage.start(stage.children(Strategy::one_for_all,
                             {Restart::permanent, Restart::permanent, Restart::temporary}));
  stage.fail("a");
  CHECK(stage.node({"a"}).state == TreeState::restarting);
  CHECK(stage.node({"b"}).state == TreeState::restarting);
  CHECK(stage.node({"c"}).state == TreeState::stopped);
}

TEST_CASE("a child whose turn to start has not come is shown as starting") {
  Stage stage;
  stage.failing_starts = {"b"};
  stage.start(stage.children(Strategy::one_for_all,
                             {Restart::permanent, Restart::permanent, Restart::permanent}));
  CHECK(stage.node({"a"}).state == TreeState::restarting);
  CHECK(stage.node({"c"}).state == TreeState::starting);
}

TEST_CASE("a supervisor is shown as starting until all its children have been started") {
  Stage stage;
  stage.failing_starts = {"b"};
  stage.start(nested(stage, 1, 5));
  CHECK(stage.node({}).state == TreeState::running);
  CHECK(stage.node({"inner"}).state == TreeState::starting);
  stage.failing_starts.clear();
  stage.advance(10ms);
  CHECK(stage.node({"inner"}).state == TreeState::running);
}

TEST_CASE("a supervisor whose specification is wrong is refused") {
  Stage stage;
  auto spec = stage.children(Strategy::one_for_one, {Restart::permanent});
  const SupervisionContext context{&stage.platform, stage.tree};
  spec.children.push_back(stage.child("a"));
  CHECK_THROWS_WITH_AS(spawn_supervisor(stage.system(), context, {}, spec),
                       "two children are called 'a'", std::invalid_argument);
  spec.children[1] = ChildSpec{"b", nullptr};
  CHECK_THROWS_WITH_AS(spawn_supervisor(stage.system(), context, {}, spec),
                       "child 'b' has no start function", std::invalid_argument);
}
