// What replicas tell, made up: each rule holds for a good story and finds the bad one.
#include <doctest/doctest.h>

#include "tests/simulations/checks/story.hpp"

namespace troupe::simulations {
namespace {

TEST_CASE("a group that lives, restarts and goes on breaks no rule") {
  Story story;
  story.first_life();
  auto life = story.second_life(4);  // the power cut took no rows that were checkpointed
  life.hand_out(5, 5);
  life.write(6, 7, 3);
  life.hand_out(6, 7, 3);
  life->leads(group, 11, 3);
  life->rows_applied(group, rows(7));
  life->checkpointed(group, 7);
  life->log_cut(group, 6);
  life->replied(group, 7);
  life->file_opened(group, rows(7));  // the shard is restarted
  life.write(8, 8, 3);
  life.hand_out(8, 8, 3);
  auto third = story.start();
  third->log_recovered(group, 6, 8);
  third->file_opened(group, rows(7));
  third.hand_out(8, 8, 3);
  CHECK(story.found.empty());
  const auto& counts = story.checks.counts();
  CHECK(counts.leaderships == 2);
  CHECK(counts.committed == 10);
  CHECK(counts.recovered == 2);
  CHECK(counts.replies == 2);
  CHECK(counts.cuts == 1);
}

TEST_CASE("two replicas that are handed the same entries break no rule") {
  Story story;
  story.first_life();
  auto other = story.start("n2");
  other->file_opened(group, rows(0));
  other.write(1, 5);
  other.hand_out(1, 5);
  other->rows_applied(group, rows(5));
  CHECK(story.found.empty());
}

TEST_CASE("an entry that a majority of its voters has synced is committed, whoever is down then") {
  Story story;
  story.checks.expect_voters(group, {"n1", "n2", "n3"});
  auto one = story.start("n1");
  auto two = story.start("n2");
  one->file_opened(group, rows(0));
  one.write(1, 5);
  one.hand_out(1, 1);  // who votes needs nobody's consent
  two.write(1, 3);
  *two.over = true;
  one.hand_out(2, 3);
  two = story.start("n2");  // its log held more than it had told
  two->log_recovered(group, 0, 5);
  one.hand_out(4, 5);
  CHECK(story.found.empty());
}

TEST_CASE("an entry that a majority of its voters has not synced is found") {
  Story story;
  story.checks.expect_voters(group, {"n1", "n2", "n3"});
  auto one = story.start("n1");
  auto two = story.start("n2");
  one->file_opened(group, rows(0));
  one.write(1, 4);
  SUBCASE("nobody else has it") {
    two.write(1, 3);
  }
  SUBCASE("another has one of another term there") {
    two.write(1, 3);
    two.write(4, 4, 3);
  }
  SUBCASE("another had it, and truncated it") {
    two.write(1, 5);
    two.write(3, 3);
  }
  one.hand_out(1, 4);
  story.finds("entry 4 of term 2 is committed, but of its 3 voters only these have synced it: n1");
}

TEST_CASE("what a file of another replica holds counts as synced") {
  Story story;
  story.checks.expect_voters(group, {"n1", "n2", "n3"});
  auto one = story.start("n1");
  auto two = story.start("n2");
  auto three = story.start("n3");
  one->file_opened(group, rows(0));
  one.write(1, 6);
  two.write(1, 5);
  one.hand_out(1, 5);
  two->file_received(group, rows(5));
  two->log_cut(group, 5);
  two.write(6, 6);
  one.hand_out(6, 6);
  CHECK(story.found.empty());
}

TEST_CASE("a file that came when the log had caught up takes nobody's place") {
  Story story;
  auto life = story.first_life();
  life.write(6, 7);
  life->file_received(group, rows(3));
  life->log_cut(group, 3);  // behind its own file's checkpoint
  life.hand_out(6, 7);
  CHECK(story.found.empty());
}

TEST_CASE("what a process tells after its end does not count") {
  Story story;
  auto life = story.first_life();
  *life.over = true;
  life->replied(group, 100);
  CHECK(story.found.empty());
  CHECK(story.checks.counts().replies == 1);
}

TEST_CASE("a second leader of a term is found") {
  Story story;
  story.first_life();
  auto other = story.start("n2");
  SUBCASE("another replica") {
    other->leads(group, 12, 2);
  }
  SUBCASE("the same replica after a restart") {
    story.second_life(5)->leads(group, 11, 2);
  }
  story.finds("leads term 2, which replica 11 on node n1 led before");
}

TEST_CASE("an entry that is committed with two contents is found") {
  Story story;
  story.first_life();
  auto other = story.start("n2");
  other->file_opened(group, rows(0));
  other.write(1, 5);
  other.hand_out(1, 3);
  SUBCASE("content") {
    other->delivered(group, 4, 2, bytes("something else"));
  }
  SUBCASE("term") {
    other->delivered(group, 4, 3, payload(4));
  }
  SUBCASE("no content") {
    other->delivered(group, 4, 2, nullptr);
  }
  story.finds("node n2, group 7: entry 4 of term");
}

TEST_CASE("an entry that is committed before the one before it is found") {
  Story story;
  auto life = story.start();
  life->file_opened(group, rows(1));
  story.finds("which is not committed");
}

TEST_CASE("rows that are not what was committed are found") {
  Story story;
  auto life = story.first_life();
  auto wrong = rows(5);
  SUBCASE("chain") {
    ++wrong.chain;
    life->rows_applied(group, wrong);
    story.finds("up to entry 5 the shard file has the chain");
  }
  SUBCASE("chain of a file that is opened") {
    wrong.chain = rows(4).chain;
    auto next = story.start();
    next->log_recovered(group, 0, 5);
    next->file_opened(group, wrong);
    story.finds("up to entry 5 the shard file has the chain");
  }
  SUBCASE("an entry that nobody committed") {
    life->rows_applied(group, rows(6));
    story.finds("rows up to entry 6, which is not committed");
  }
  SUBCASE("shard time falls") {
    wrong.time_ms = 2999;
    life->rows_applied(group, wrong);
    story.finds("shard time falls from 3000 ms at entry 3 to 2999 ms at entry 5");
  }
}

TEST_CASE("entries that a shard is handed twice, out of order or before it began are found") {
  Story story;
  auto life = story.first_life();
  SUBCASE("twice") {
    life.hand_out(5, 5);
    story.finds("entry 5 is handed out, the next is entry 6");
  }
  SUBCASE("with a gap") {
    life.write(6, 7);
    life.hand_out(7, 7);
    story.finds("entry 7 is handed out, the next is entry 6");
  }
  SUBCASE("again, although the file holds it") {
    story.second_life(4).hand_out(4, 4);
    story.finds("entry 4 is handed out, the next is entry 5");
  }
  SUBCASE("to a shard that has no file") {
    auto next = story.start();
    next->log_recovered(group, 0, 5);
    next.hand_out(1, 1);
    story.finds("has not opened its file");
  }
}

TEST_CASE("what is handed out or answered before it is synced is found") {
  Story story;
  auto life = story.first_life();
  SUBCASE("handed out") {
    life.hand_out(6, 6);
    story.finds("entry 6 is handed out, but the log is synced up to entry 5 only");
  }
  SUBCASE("answered") {
    life.write(6, 6);
    life->replied(group, 6);
    story.finds("a reply left that depends on entry 6, but only entries up to entry 5");
  }
}

TEST_CASE("what was synced and is gone after a restart is found") {
  Story story;
  story.first_life();
  auto next = story.start();
  SUBCASE("the newest entry") {
    next->log_recovered(group, 0, 4);
    story.finds("synced up to entry 5, and ends with entry 4 after a restart");
  }
  SUBCASE("all of it") {
    next->file_opened(group, rows(0));
    story.finds("nothing of it is there after a restart");
  }
  SUBCASE("one that is written over") {
    next->log_recovered(group, 0, 5);
    next->file_opened(group, rows(3));
    next->entry_durable(group, 5, 3);
    story.finds("entry 5 is written over, but was handed out already");
  }
}

TEST_CASE("rows that are gone are found") {
  Story story;
  auto life = story.first_life();
  SUBCASE("checkpointed ones, after a restart") {
    story.second_life(2);
    story.finds("rows up to entry 2, but was checkpointed up to entry 3");
  }
  SUBCASE("applied ones, while the process lives") {
    life->rows_applied(group, rows(5));
    life->file_opened(group, rows(4));
    story.finds("but this process has applied them up to entry 5");
  }
  SUBCASE("applied ones, backwards") {
    life->rows_applied(group, rows(2));
    story.finds("went back from entry 3 to entry 2");
  }
}

TEST_CASE("a log that is cut behind what is not checkpointed is found") {
  Story story;
  auto life = story.first_life();
  SUBCASE("told") {
    life->log_cut(group, 4);
    story.finds("cut behind entry 4, but the shard file is checkpointed up to entry 3 only");
  }
  SUBCASE("seen after a restart") {
    auto next = story.start();
    next->log_recovered(group, 4, 5);
    story.finds("begins behind entry 4 after a restart");
  }
  SUBCASE("because the checkpoint holds more than the file") {
    life->checkpointed(group, 4);
    story.finds("a checkpoint up to entry 4, but the shard file holds rows up to entry 3 only");
  }
}

TEST_CASE("a log without a shard file may be cut anywhere, and loses nothing all the same") {
  Story story;
  auto life = story.start();
  life.write(1, 5);
  life->log_cut(group, 4);
  story.start()->log_recovered(group, 4, 5);
  CHECK(story.found.empty());
  story.start()->log_recovered(group, 4, 4);
  story.finds("synced up to entry 5, and ends with entry 4 after a restart");
}

TEST_CASE("a node that lost its disk may begin again") {
  Story story;
  story.first_life();
  story.checks.forgive("n1");
  auto next = story.start();
  next->file_opened(group, rows(0));
  next->entry_durable(group, 1, 1);
  next->delivered(group, 1, 1, bytes("another beginning"));
  next->leads(group, 99, 2);
  CHECK(story.found.empty());
}

TEST_CASE("a replica that was removed may begin again, in the same life or in the next") {
  for (const bool restarted : {false, true}) {
    CAPTURE(restarted);
    Story story;
    auto life = story.first_life();
    life->forgets(group);
    if (restarted) {
      life = story.start();
      life->log_recovered(group, 0, 0);
    }
    life->file_opened(group, rows(0));
    life.write(1, 5);
    life.hand_out(1, 5);
    CHECK(story.found.empty());
    life->delivered(group, 5, 2, payload(5));
    story.finds("entry 5 is handed out, the next is entry 6");
  }
}

TEST_CASE("a replica that was to forget and did not is held to what it promised") {
  Story story;
  story.first_life()->forgets(group);
  auto life = story.second_life(3);
  life->delivered(group, 4, 2, payload(4));
  CHECK(story.found.empty());
  life->entry_durable(group, 2, 2);
  story.finds("is written over");
}

TEST_CASE("a node whose log was damaged goes on from what is left, and is checked from there") {
  Story story;
  story.first_life();
  story.checks.forgive("n1");
  auto next = story.start();
  next->log_recovered(group, 2, 4);
  next->file_opened(group, rows(3));
  next->delivered(group, 4, 2, payload(4));
  next->rows_applied(group, rows(4));
  CHECK(story.found.empty());
  next->rows_applied(group, {4, 4000, 1});
  story.finds("the shard file has the chain 1");
}

TEST_CASE("what another node was handed stays committed when a disk is lost") {
  Story story;
  story.first_life();
  auto other = story.start("n2");
  other->file_opened(group, rows(0));
  other.write(1, 5);
  other.hand_out(1, 5);
  story.checks.forgive("n1");
  auto next = story.start();
  next->file_opened(group, rows(0));
  next->entry_durable(group, 1, 1);
  next->delivered(group, 1, 1, bytes("another beginning"));
  story.finds("node n1, group 7: entry 1 of term 1 is committed with the checksum");
}

// Its newest transaction holds the entries 4 and 5.

}  // namespace
}  // namespace troupe::simulations
