// Groups that begin behind another one's rows: shards that were split off.
#include <doctest/doctest.h>

#include "tests/simulations/checks/story.hpp"

namespace troupe::simulations {
namespace {

const std::vector<std::string> voters{"n1", "n2", "n3"};

}  // namespace

TEST_CASE("a new shard goes on where it was founded, also if the first founder lost its disk") {
  Story story;
  auto n2 = story.start("n2");
  auto n1 = story.start("n1");
  for (auto* life : {&n2, &n1}) {
    (*life)->founded(group, rows(4), voters);
    (*life)->log_cut(group, 4);
    (*life)->file_opened(group, rows(4));
    life->write(5, 5);
  }
  n2.hand_out(5, 5);  // nobody else has told of it
  story.checks.forgive("n2");
  auto replaced = story.start("n2");
  n1.hand_out(5, 5);
  CHECK(story.found.empty());
  n1.hand_out(7, 7);
  CHECK(story.found.size() == 1);
}

TEST_CASE("replicas that found a new shard of different rows are found") {
  Story story;
  auto n1 = story.start("n1");
  auto n2 = story.start("n2");
  n1->founded(group, rows(4), voters);
  auto other = rows(4);
  ++other.chain;
  n2->founded(group, other, voters);
  story.finds("but elsewhere with");
}

}  // namespace troupe::simulations
