#include <doctest/doctest.h>

#include "tests/actors/shard/rig.hpp"

namespace troupe::actors::testing {
namespace {

constexpr auto ms = [](int n) { return std::chrono::milliseconds{n}; };

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

TEST_CASE("a repeated command gets the first one's reply and changes nothing") {
  Rig rig;
  rig.start();
  const MessageId id = rig.fresh_id();
  const auto first = rig.send(add, "alice", "5", id);
  SUBCASE("while the first waits for the entity") {}
  SUBCASE("while the first is in a batch that has not committed") {
    rig.pump();
  }
  SUBCASE("after the first was applied") {
    rig.pass(ms(1000));
  }
  SUBCASE("after the shard was restarted") {
    rig.settle();
    rig.crash();
    rig.start();
  }
  SUBCASE("after the shard was restarted and time has passed") {
    rig.settle();
    rig.crash();
    rig.platform.clock().advance(std::chrono::minutes{9});
    rig.start();
  }
  const auto second = rig.send(add, "alice", "5", id);
  rig.settle();
  CHECK(first->text() == "5");
  CHECK(second->text() == "5");
  CHECK(second->repeated());
  CHECK(rig.send(get, "alice", "")->text() == "5");
}

TEST_CASE("another request under a used id is refused") {
  Rig rig;
  rig.start();
  const MessageId id = rig.fresh_id();
  rig.send(add, "alice", "5", id);
  SUBCASE("while it is in memory") {}
  SUBCASE("when only the file knows it") {
    rig.settle();
    rig.crash();
    rig.start();
  }
  const auto other = rig.send(add, "alice", "6", id);
  rig.settle();
  CHECK(other->text() == "IDEMPOTENCY_KEY_REUSED");
}

TEST_CASE("the same id names different commands for another entity, method or caller") {
  Rig rig;
  rig.start();
  const MessageId id = rig.fresh_id();
  rig.send(add, "alice", "5", id);
  const auto bob = rig.send(add, "bob", "5", id);
  rig.settle();
  CHECK(bob->text() == "5");
  CHECK(!bob->repeated());
}

TEST_CASE("an id older than the window is refused, not run") {
  Rig rig;
  rig.start();
  const MessageId id = rig.fresh_id();
  rig.pass(std::chrono::minutes{11});
  const auto late = rig.send(add, "alice", "5", id);
  rig.settle();
  CHECK(late->text() == "MESSAGE_ID_EXPIRED");
}

TEST_CASE("a client's key is recognised in memory and from the file, for its longer window") {
  Rig rig;
  rig.start();
  const MessageId id = MessageId::from_key("order-17");
  rig.send(add, "alice", "5", id);
  // So many other commands that the entity's list of ids is given up.
  for (int n = 0; n < 50; ++n)
    rig.send(add, "alice", "1", MessageId::from_key("k" + std::to_string(n)));
  rig.settle();
  rig.pass(std::chrono::hours{1});
  const auto again = rig.send(add, "alice", "5", id);
  rig.settle();
  CHECK(again->text() == "5");
  CHECK(again->repeated());
}

TEST_CASE("stored replies leave when their window is over") {
  Rig rig;
  rig.start();
  const MessageId id = rig.fresh_id();
  rig.send(add, "alice", "5", id);
  rig.pass(std::chrono::minutes{12});
  rig.crash();
  auto file = runtime::ShardFile::open(rig.platform.disk(),
                                       rig.folder.string() + "/test.v1.Counters-0.g1.db",
                                       "test.v1.Counters/0", false, {});
  REQUIRE(file);
  const auto loaded = (*file)->load(7, "alice", 10);
  REQUIRE(loaded);
  CHECK(loaded->replies.empty());
  CHECK(loaded->state.has_value());
}

TEST_CASE("a handler that throws harms its own command only") {
  Rig rig;
  rig.start();
  rig.send(add, "alice", "5");
  rig.settle();
  const auto broken = rig.send(explode, "alice", "100");
  const auto after = rig.send(add, "alice", "1");
  const auto other = rig.send(add, "bob", "1");
  rig.settle();
  CHECK(broken->text() == "HANDLER_FAILED");
  CHECK(after->text() == "6");
  CHECK(other->text() == "1");
  CHECK(!rig.failed);
}

TEST_CASE("a key that keeps failing is quarantined with back-off; others go on") {
  Rig rig;
  rig.start();
  for (int n = 0; n < 3; ++n) rig.send(explode, "alice", "1");
  rig.settle();
  const auto refused = rig.send(add, "alice", "1");
  rig.settle();
  CHECK(refused->text() == "ENTITY_QUARANTINED");
  CHECK((*refused->result).error().retry_after == std::chrono::seconds{1});
  const auto bob = rig.send(add, "bob", "1");
  rig.settle();
  CHECK(bob->text() == "1");

  rig.pass(ms(1000));
  CHECK(rig.send(explode, "alice", "1")->text() == "HANDLER_FAILED");
  const auto again = rig.send(add, "alice", "1");
  CHECK((*again->result).error().retry_after == std::chrono::seconds{2});
  rig.pass(ms(2000));
  const auto healed = rig.send(add, "alice", "1");
  rig.settle();
  CHECK(healed->text() == "1");
}

TEST_CASE("state survives a restart of the shard, applied or not") {
  Rig rig;
  rig.start();
  rig.send(add, "alice", "5");
  rig.send(add, "bob", "7");
  SUBCASE("rows were applied") {
    rig.pass(ms(1000));
  }
  SUBCASE("rows are only in the log") {
    rig.settle();
  }
  rig.crash();
  rig.start();
  const auto alice = rig.send(get, "alice", "");
  const auto bob = rig.send(get, "bob", "");
  rig.settle();
  CHECK(alice->text() == "5");
  CHECK(bob->text() == "7");
}

TEST_CASE(
    "an entity leaves memory when idle, not before its rows are in the file, and comes back") {
  ShardOptions options;
  options.passivate_after = ms(100);
  options.apply_delay_max = std::chrono::seconds{5};
  Rig rig{options};
  rig.start();
  rig.send(add, "alice", "5");
  rig.pass(std::chrono::seconds{3});
  CHECK(rig.vitals->get().entities_resident == 1);  // idle, but unapplied
  rig.pass(std::chrono::seconds{4});
  CHECK(rig.vitals->get().entities_resident == 0);
  const auto read = rig.send(get, "alice", "");
  rig.settle();
  CHECK(read->text() == "5");
}

TEST_CASE("beyond the memory bound the least recently used entities leave first") {
  ShardOptions options;
  options.resident_bytes_max = 10 * 700;
  Rig rig{options};
  rig.start();
  for (int n = 0; n < 50; ++n) rig.send(add, "k" + std::to_string(n), "1");
  rig.pass(std::chrono::seconds{3});
  CHECK(rig.vitals->get().entities_resident <= 10);
  CHECK(rig.vitals->get().entities_resident >= 5);
  CHECK(rig.vitals->get().entities_stored == 50);
}

TEST_CASE("deleting drops state and history; the next command meets a new entity") {
  Rig rig;
  rig.start();
  rig.send(add, "alice", "5");
  rig.settle();
  rig.send(reset, "alice", "");
  rig.send(add, "alice", "2");
  rig.settle();
  const auto size = rig.send(history_size, "alice", "");
  rig.settle();
  CHECK(size->text() == "1");
  rig.crash();
  rig.start();
  const auto read = rig.send(get, "alice", "");
  rig.settle();
  CHECK(read->text() == "2");
}

TEST_CASE("history holds everything that the state has seen, page by page") {
  Rig rig;
  rig.start();
  for (int n = 0; n < 2500; ++n) {
    rig.send(add, "alice", "1");
    if (n % 100 == 0) rig.settle();
  }
  const auto size = rig.send(history_size, "alice", "");
  const auto after = rig.send(add, "alice", "1");  // waits until the history was read
  rig.settle();
  CHECK(size->text() == "2500");
  CHECK(after->text() == "2501");
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
