// Which replicas lack what was committed.
#include <doctest/doctest.h>

#include "tests/simulations/checks/story.hpp"

using namespace std::chrono_literals;

namespace troupe::simulations {
namespace {

TEST_CASE("a replica whose file lacks rows is behind") {
  Story story;
  story.checks.expect_voters(group, {"n1", "n2"});
  auto one = story.start("n1");
  auto two = story.start("n2");
  CHECK_FALSE(story.checks.behind());
  for (auto* node : {&one, &two}) {
    (*node)->file_opened(group, rows(0));
    node->write(1, 5);
  }
  one.hand_out(1, 5);
  one->rows_applied(group, rows(5));
  REQUIRE(story.checks.behind());
  CHECK(story.checks.behind()->find("up to entry 5, its file on node n2") != std::string::npos);
  two.hand_out(1, 5);
  two->rows_applied(group, rows(5));
  CHECK_FALSE(story.checks.behind());
  CHECK(story.found.empty());
}

TEST_CASE("a replica whose file lacks rows that came later is not behind what was there before") {
  Story story;
  story.checks.expect_voters(group, {"n1", "n2"});
  auto one = story.start("n1");
  auto two = story.start("n2");
  for (auto* node : {&one, &two}) {
    (*node)->file_opened(group, rows(0));
    node->write(1, 6);
  }
  story.now = 1s;
  for (auto* node : {&one, &two}) {
    node->hand_out(1, 5);
    (*node)->rows_applied(group, rows(5));
  }
  story.now = 2s;
  one.hand_out(6, 6);
  CHECK_FALSE(story.checks.behind(1s));
  CHECK(story.checks.behind(2s));
  CHECK(story.checks.behind());
  CHECK(story.found.empty());
}

}  // namespace
}  // namespace troupe::simulations
