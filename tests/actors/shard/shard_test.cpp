#include <doctest/doctest.h>

#include "tests/actors/shard/rig.hpp"

namespace troupe::actors::testing {
namespace {

TEST_CASE("a reply leaves only when its batch has committed") {
  Rig rig;
  rig.start();
  const auto deposit = rig.send(add, "alice", "5");
  rig.pump();
  CHECK(!deposit->came());
  CHECK(rig.consensus->uncommitted() == 1);
  rig.consensus->commit(1);
  CHECK(deposit->text() == "5");
}

TEST_CASE("commands that wait share one batch, and see each other's effects at once") {
  Rig rig;
  rig.start();
  rig.send(get, "alice", "");
  rig.pump();  // alice is resident
  const auto first = rig.send(add, "alice", "1");
  const auto second = rig.send(add, "alice", "2");
  const auto read = rig.send(get, "alice", "");
  rig.pump();
  CHECK(rig.consensus->uncommitted() == 1);
  CHECK(!read->came());  // it saw what has not committed
  rig.consensus->commit(1);
  CHECK(first->text() == "1");
  CHECK(second->text() == "3");
  CHECK(read->text() == "3");
}

TEST_CASE("a handler knows on whose behalf it is called") {
  Rig rig;
  rig.start();
  rig.on_behalf_of = {"clerk", "acme", "alice"};
  const auto first = rig.send(read_caller, "alice", "");
  rig.on_behalf_of = {};
  const auto second = rig.send(read_caller, "alice", "");
  rig.settle();
  CHECK(first->text() == "clerk/acme/alice");
  CHECK(second->text() == "//");
}

TEST_CASE("a reply says where it stands in the shard's history") {
  Rig rig;
  rig.start();
  const auto index = [](const std::shared_ptr<Answer>& answer) {
    REQUIRE(answer->text() != "(none)");
    return (**answer->result).shard_index;
  };
  const auto first = rig.send(add, "alice", "1");
  rig.settle();
  const auto entry = rig.group_log.committed;
  CHECK(index(first) == entry);
  const auto second = rig.send(add, "bob", "1");
  rig.settle();
  CHECK(index(second) == entry + 1);
  // All that alice did up to there is in it, and nothing that she will do later.
  CHECK(index(rig.send(get, "alice", "")) == entry + 1);
  const auto third = rig.send(add, "alice", "2");
  const auto read = rig.send(get, "alice", "");
  rig.settle();
  CHECK(index(read) == index(third));
  CHECK(read->text() == "3");
  rig.crash();
  rig.start();
  const auto after = rig.send(get, "alice", "");
  rig.settle();
  CHECK(index(after) >= index(third));
}

TEST_CASE("an error's reply too waits for what it has seen") {
  Rig rig;
  rig.start();
  rig.send(get, "alice", "");
  rig.pump();
  rig.send(add, "alice", "1");
  const auto refused = rig.send(fail, "alice", "100");
  rig.pump();
  CHECK(!refused->came());
  rig.settle();
  CHECK(refused->text() == "REFUSED");
  const auto read = rig.send(get, "alice", "");
  CHECK(read->text() == "1");  // what the refused command emitted is gone
}

TEST_CASE("a read of an entity without open batches answers at once") {
  Rig rig;
  rig.start();
  rig.send(add, "alice", "1");
  rig.settle();
  rig.send(add, "bob", "1");
  const auto read = rig.send(get, "alice", "");
  CHECK(read->text() == "1");
}
TEST_CASE("a full disk refuses commands, serves reads of what committed, and heals") {
  Rig rig;
  rig.start();
  rig.send(add, "alice", "5");
  rig.settle();
  const MessageId id = rig.fresh_id();
  const auto lost = rig.send(add, "alice", "7", id);
  rig.pump();
  rig.consensus->lose(resource_exhausted("DISK_FULL", "no space"));
  CHECK(lost->text() == "DISK_FULL");
  const auto refused = rig.send(add, "bob", "1");
  CHECK(refused->text() == "DISK_FULL");
  const auto read = rig.send(get, "alice", "");
  rig.pump();
  CHECK(read->text() == "5");

  rig.consensus->lead_again();
  rig.settle();
  const auto again = rig.send(add, "alice", "7", id);
  rig.settle();
  CHECK(again->text() == "12");
  CHECK(!again->repeated());
}

TEST_CASE("without being the only voter, a shard that does not lead serves no reads") {
  Rig rig;
  rig.start();
  rig.send(add, "alice", "5");
  rig.settle();
  rig.consensus->sole = false;
  const auto read = rig.send(get, "alice", "");
  rig.pump();
  CHECK(!read->came());  // waits for a majority
  REQUIRE(rig.consensus->confirmations.size() == 1);
  rig.consensus->confirmations[0]({});
  CHECK(read->text() == "5");
  rig.consensus->lose(unavailable("NOT_LEADING", "another leads"));
  CHECK(rig.send(get, "alice", "")->text() == "NOT_LEADING");
}

TEST_CASE("after a batch was refused, all that is committed or may commit is still seen") {
  Rig rig;
  rig.start();
  rig.send(add, "alice", "5");
  rig.pump();
  rig.consensus->commit(1);  // is not in the file yet
  rig.send(add, "alice", "2");
  rig.pump();                      // in flight
  rig.consensus->leading = false;  // refuses, and the shard does not hear why
  const auto refused = rig.send(add, "alice", "7");
  rig.pump();
  CHECK(refused->text() == "OUTCOME_UNKNOWN");
  rig.consensus->leading = true;
  const auto read = rig.send(get, "alice", "");
  rig.pump();
  CHECK_FALSE(read->came());
  rig.consensus->commit(1);
  rig.pump();
  CHECK(read->text() == "7");
}

TEST_CASE("history that waits for a batch which is refused is read anew") {
  Rig rig;
  rig.start();
  rig.send(add, "alice", "5");
  rig.settle();
  rig.consensus->leading = false;
  const auto refused = rig.send(add, "alice", "7");
  const auto history = rig.send(history_size, "alice", "");
  CHECK(refused->text() == "OUTCOME_UNKNOWN");
  rig.consensus->leading = true;
  rig.settle();
  CHECK(history->text() == "1");
}

TEST_CASE("a command whose entity is loaded while leadership is handed over waits for the end") {
  Rig rig;
  rig.start();
  rig.consensus->sole = false;
  const auto waiting = rig.send(add, "alice", "5");
  bool done = false;
  rig.shard->hand_over([&] { done = true; });
  REQUIRE(rig.consensus->handed_over);
  rig.pump();
  CHECK_FALSE(waiting->came());
  CHECK(rig.consensus->uncommitted() == 0);
  rig.consensus->handed_over(false);
  CHECK(done);
  rig.settle();
  CHECK(waiting->text() == "5");
}

TEST_CASE("a shard that is made the only voter says so when it leads, or why it is not") {
  Rig rig;
  rig.start();
  rig.consensus->lose(unavailable("NOT_LEADING", "nobody leads"));
  std::vector<std::string> told;
  const auto tell = [&](const Result<void>& done) {
    told.push_back(done ? "leads" : done.error().reason);
  };
  rig.shard->recover({}, tell);
  rig.consensus->recovered(failed_precondition("RECOVERY_REFUSED", "a majority is there"));
  CHECK(told == std::vector<std::string>{"RECOVERY_REFUSED"});
  rig.shard->recover({}, tell);
  rig.consensus->recovered({});
  CHECK(told.size() == 1);
  rig.consensus->lead_again();
  CHECK(told.size() == 2);
  CHECK(told.back() == "leads");
}

TEST_CASE("batches are bounded, and commands beyond wait for those in flight") {
  ShardOptions options;
  options.batch_commands_max = 10;
  options.batches_in_flight_max = 2;
  Rig rig{options};
  rig.start();
  rig.send(get, "alice", "");
  rig.pump();
  std::vector<std::shared_ptr<Answer>> answers;
  for (int n = 0; n < 100; ++n) answers.push_back(rig.send(add, "alice", "1"));
  rig.pump();
  CHECK(rig.consensus->uncommitted() == 2);
  rig.settle();
  for (int n = 0; n < 100; ++n)
    CHECK(answers[static_cast<std::size_t>(n)]->text() == std::to_string(n + 1));
}

TEST_CASE("work whose deadline has passed is not run") {
  Rig rig;
  rig.start();
  auto request = std::make_shared<Request>();
  request->service = &counter_type();
  request->method = add;
  request->key = "alice";
  request->payload = "1";
  request->deadline = rig.platform.clock().now() - std::chrono::seconds{1};
  std::string reason;
  request->reply_to = [&](Result<Reply> reply) { reason = reply ? "ran" : reply.error().reason; };
  rig.shard->handle(std::move(request));
  CHECK(reason == "DEADLINE_EXCEEDED");
}

TEST_CASE("stopping lets what was proposed commit, and refuses the rest") {
  Rig rig;
  rig.start();
  rig.send(get, "alice", "");
  rig.pump();
  const auto last = rig.send(add, "alice", "5");
  bool stopped = false;
  rig.shard->stop([&] { stopped = true; });
  CHECK(!stopped);
  CHECK(rig.send(add, "alice", "1")->text() == "SHARD_STOPPING");
  rig.settle();
  CHECK(last->text() == "5");
  CHECK(stopped);
}

TEST_CASE("while leadership is handed over commands wait, and then go where the new leader is") {
  for (const bool taken : {true, false}) {
    CAPTURE(taken);
    Rig rig;
    rig.start();
    rig.consensus->sole = false;
    const auto before = rig.send(add, "alice", "5");
    rig.pump();
    bool over = false;
    rig.shard->hand_over([&] { over = true; });
    // Not before what is in flight has committed.
    CHECK_FALSE(rig.consensus->handed_over);
    const auto meanwhile = rig.send(add, "alice", "1");
    rig.settle();
    CHECK(before->text() == "5");
    REQUIRE(rig.consensus->handed_over);
    CHECK_FALSE(meanwhile->came());
    if (taken) rig.consensus->lose(unavailable("NOT_LEADING", "another leads"));
    rig.consensus->handed_over(taken);
    CHECK(over);
    rig.settle();
    CHECK(meanwhile->text() == (taken ? "NOT_LEADING" : "6"));
  }
}

TEST_CASE("a shard that does not lead, or alone, hands nothing over") {
  Rig rig;
  rig.start();
  int over = 0;
  rig.shard->hand_over([&] { ++over; });
  rig.consensus->sole = false;
  rig.consensus->lose(unavailable("NOT_LEADING", "another leads"));
  rig.shard->hand_over([&] { ++over; });
  CHECK(over == 2);
  CHECK_FALSE(rig.consensus->handed_over);
}

TEST_CASE("shard time never goes back, whatever the wall clock does") {
  Rig rig;
  rig.start();
  rig.send(add, "alice", "1");
  rig.pass(ms(1000));
  rig.crash();
  auto open = [&] {
    return runtime::ShardFile::open(rig.platform.disk(),
                                    rig.folder.string() + "/test.v1.Counters-0.g1.db",
                                    "test.v1.Counters/0", false, {});
  };
  std::int64_t before = 0;
  {
    auto file = open();
    REQUIRE(file);
    before = (*file)->applied().time_ms;
  }
  rig.platform.clock().advance(-std::chrono::hours{1});
  rig.start();
  rig.send(add, "alice", "1");
  rig.pass(ms(1000));
  rig.crash();
  auto file = open();
  REQUIRE(file);
  CHECK((*file)->applied().time_ms >= before);
}

TEST_CASE("what a read saw as now is not behind the next command") {
  Rig rig;
  rig.start();
  rig.send(add_now, "alice", "1");
  rig.settle();
  SUBCASE("with a batch open") {
    const auto first = rig.send(add_now, "alice", "1");
    rig.platform.clock().advance(ms(10));
    const auto read = rig.send(read_now, "alice", "");
    const auto second = rig.send(add_now, "alice", "1");
    rig.settle();
    CHECK(std::stoll(first->text()) <= std::stoll(read->text()));
    CHECK(std::stoll(read->text()) <= std::stoll(second->text()));
  }
  SUBCASE("when the wall clock steps back") {
    rig.platform.clock().advance(ms(20));
    const auto read = rig.send(read_now, "alice", "");
    rig.platform.clock().advance(ms(-10));
    const auto second = rig.send(add_now, "alice", "1");
    rig.settle();
    CHECK(std::stoll(read->text()) <= std::stoll(second->text()));
  }
}

TEST_CASE("a command without effect leaves nothing behind that stops the clock of later ones") {
  Rig rig;
  rig.start();
  for (const auto without_effect : {fail, explode}) {
    CAPTURE(without_effect);
    rig.send(without_effect, "alice", "1");
    rig.settle();
    rig.platform.clock().advance(std::chrono::hours{1});
    const auto now = std::to_string(rig.platform.clock().wall().time_since_epoch().count());
    const auto read = rig.send(read_now, "alice", "");
    rig.settle();
    CHECK(read->text() == now);
    rig.send(without_effect, "alice", "1");
    rig.settle();
    rig.platform.clock().advance(std::chrono::hours{1});
    const auto later = std::to_string(rig.platform.clock().wall().time_since_epoch().count());
    const auto command = rig.send(add_now, "alice", "1");
    rig.settle();
    CHECK(command->text() == later);
  }
}

TEST_CASE("reads of a shard that starts on a full disk are not behind what its log holds") {
  Rig rig;
  rig.start();
  const auto command = rig.send(add_now, "alice", "1");
  rig.settle();  // committed, and not in the file
  rig.crash();
  rig.platform.clock().advance(-std::chrono::hours{1});
  rig.group_log.full_at_start = true;
  rig.start();
  const auto read = rig.send(read_now, "alice", "");
  rig.pump();
  CHECK(std::stoll(read->text()) >= std::stoll(command->text()));
}

TEST_CASE("a shard file that is gone after its log was cut is named, not replaced") {
  Rig rig;
  rig.log.kept.emplace();
  rig.log.kept->snapshot_index = 10;
  rig.start();
  REQUIRE(rig.failed);
  CHECK(rig.failed->reason == "SHARD_FILE_MISSING");
  CHECK(rig.failed->message.find("test.v1.Counters-0.g1.db") != std::string::npos);
}

}  // namespace
}  // namespace troupe::actors::testing
