// Groups whose voters change, and one that goes on alone, as replicas tell it.
#include <doctest/doctest.h>

#include "tests/simulations/checks/story.hpp"

namespace troupe::simulations {
namespace {

// Three replicas, of which n1 has handed out five entries and n2 and n3 have synced some of them.
struct Three : Story {
  std::vector<ReplicaChecks::Loss> losses;
  Life one, two, three;

  Three(LogIndex second, LogIndex third) {
    checks.on_lost = [this](const ReplicaChecks::Loss& loss) { losses.push_back(loss); };
    checks.expect_voters(group, {"n1", "n2", "n3"});
    one = start("n1");
    two = start("n2");
    three = start("n3");
    for (const Life* const life : {&one, &two, &three}) {
      (*life)->file_opened(group, rows(0));
      (*life)->voters(group, 1, 2, {"n1", "n2", "n3"});
    }
    one.write(1, 5);
    two.write(1, second);
    three.write(1, third);
    one->leads(group, 11, 2);
    one.hand_out(1, 1, 2);
    one.hand_out(2, std::max(second, third));
    REQUIRE(found.empty());
  }
  // n3 does, and has an entry behind those that it had.
  void third_goes_on(LogIndex had, const std::vector<std::string>& lost = {"n1", "n2"}) {
    three->goes_on_alone(group, 1'000, lost);
    three->voters(group, had + 1, 1'000, {"n3"});
    three->entry_durable(group, had + 1, 1'000);
    three->leads(group, 33, 1'001);
    three.hand_out(1, had, 2);
  }
};

// The same entry as payload() would be, but another.
runtime::SharedBytes other(LogIndex index) {
  return bytes("other " + std::to_string(index));
}

TEST_CASE("who goes on alone with all that was committed has lost nothing, and decides alone") {
  Three story{3, 4};
  story.third_goes_on(4);
  story.three->delivered(group, 5, 1'000, nullptr);
  story.three.write(6, 6, 1'001);
  story.three->delivered(group, 6, 1'001, other(6));
  CHECK(story.losses.empty());
  CHECK(story.found.empty());
}

TEST_CASE("what only the lost ones had is lost, is told, and another entry takes its place") {
  Three story{5, 3};
  story.third_goes_on(3);
  REQUIRE(story.losses.size() == 1);
  CHECK(story.losses[0].node == "n3");
  CHECK(story.losses[0].last == 3);
  story.three->delivered(group, 4, 1'000, nullptr);
  story.three.write(5, 5, 1'001);
  story.three->delivered(group, 5, 1'001, other(5));
  // n1 comes back with a file that holds what is lost, until it hears so and begins anew.
  *story.one.over = true;
  auto back = story.start("n1");
  back->log_recovered(group, 0, 5);
  back->file_opened(group, rows(5));
  CHECK(story.found.empty());
  SUBCASE("it begins anew") {
    back->forgets(group);
    back->file_opened(group, rows(0));
    back.write(1, 3);
    back.hand_out(1, 3);
    CHECK(story.found.empty());
  }
  SUBCASE("it must not go on with that file") {
    back->rows_applied(group, rows(6));
    story.finds("entry 6, which is not committed");
  }
  SUBCASE("it must not lead as if nothing had been") {
    back->leads(group, 11, 3);
    story.finds("although the group went on without its old majority in term 1000");
  }
}

TEST_CASE("one that another survivor is ahead of must not go on") {
  Three story{5, 3};
  story.three->goes_on_alone(group, 1'000, {"n1"});
  story.finds("has no more than entry 3, but n2, which is left as well, has entry 5");
}

TEST_CASE("those who vote by then have to agree, and nobody else") {
  Three story{3, 4};
  story.third_goes_on(4);
  story.three->delivered(group, 5, 1'000, nullptr);
  story.three->voters(group, 6, 1'001, {"n2", "n3"});
  story.three.write(6, 7, 1'001);
  SUBCASE("a new voter, too") {
    story.three->delivered(group, 6, 1'001, nullptr);
    story.finds(
        "entry 6 of term 1001 is committed, but of its 2 voters only these have synced it:"
        " n3");
  }
  SUBCASE("it agrees") {
    story.two.write(4, 4);
    story.two->entry_durable(group, 5, 1'000);
    story.two.write(6, 6, 1'001);
    story.three->delivered(group, 6, 1'001, nullptr);
    CHECK(story.found.empty());
    story.three->delivered(group, 7, 1'001, other(7));
    story.finds("entry 7 of term 1001 is committed, but of its 2 voters only these have synced");
  }
}

}  // namespace
}  // namespace troupe::simulations
