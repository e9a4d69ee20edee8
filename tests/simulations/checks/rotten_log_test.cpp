// Logs that rotted, as replicas tell it: what may be lost then, and what not.
#include <doctest/doctest.h>

#include "tests/simulations/checks/story.hpp"

namespace troupe::simulations {
namespace {

struct RottenStory : Story {
  std::vector<ReplicaChecks::Loss> losses;
  RottenStory() {
    checks.on_lost = [this](const ReplicaChecks::Loss& loss) { losses.push_back(loss); };
    auto life = start();
    life->log_committed();
    life->file_opened(group, rows(0));
    life->leads(group, 11, 2);
    life.write(1, 3);
    life->log_committed();
    life.write(4, 5);
    life.hand_out(1, 5);
    life->rows_applied(group, rows(3));
    life->checkpointed(group, 3);
    REQUIRE(found.empty());
  }
};

TEST_CASE("of a log that rotted, the newest transaction may be lost, and is told") {
  RottenStory story;
  story.checks.log_rotted("n1");
  auto next = story.start();
  next->log_recovered(group, 0, 3);
  REQUIRE(story.losses.size() == 1);
  CHECK(story.losses[0].node == "n1");
  CHECK(story.losses[0].group == group);
  CHECK(story.losses[0].last == 3);
  next->file_opened(group, rows(3));
  next->log_committed();
  next->leads(group, 11, 2);  // with its newest term, too
  next.write(4, 4);
  next->delivered(group, 4, 2, bytes("another one"));
  next->replied(group, 4);
  CHECK(story.found.empty());
}

TEST_CASE("of a log that rotted, nothing older may be lost") {
  RottenStory story;
  story.checks.log_rotted("n1");
  story.start()->log_recovered(group, 0, 2);
  story.finds("synced up to entry 5, and ends with entry 2 after a restart");
  CHECK(story.losses.empty());
}

TEST_CASE("rot explains the loss of the newest transaction once, and of no later one") {
  RottenStory story;
  story.checks.log_rotted("n1");
  auto next = story.start();
  next->log_recovered(group, 0, 5);
  next->file_opened(group, rows(3));
  next->log_committed();
  next.write(6, 6);
  story.start()->log_recovered(group, 0, 5);
  story.finds("synced up to entry 6, and ends with entry 5 after a restart");
}

TEST_CASE("without rot, the newest transaction may not be lost") {
  RottenStory story;
  story.start()->log_recovered(group, 0, 3);
  story.finds("synced up to entry 5, and ends with entry 3 after a restart");
}

TEST_CASE("rows that the log lost may stay in the shard file, which then does not go on") {
  RottenStory story;
  story.checks.log_rotted("n1");
  auto next = story.start();
  next->log_recovered(group, 0, 3);
  next->file_opened(group, rows(5));
  CHECK(story.found.empty());
  next->log_committed();
  next.write(4, 4);
  story.finds("entry 4 is written over, but was handed out already (up to entry 5)");
}

}  // namespace
}  // namespace troupe::simulations
