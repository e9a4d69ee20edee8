#include <doctest/doctest.h>

#include "tests/actors/shard/rig.hpp"

namespace troupe::actors::testing {
namespace {

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
  CHECK((**second->result).shard_index >= (**first->result).shard_index);
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

TEST_CASE("an id that is too far ahead of the shard is refused until its time has come") {
  Rig rig;
  rig.start();
  const MessageId id = rig.id_ahead(ms(12'000));
  const auto early = rig.send(add, "alice", "5", id);
  rig.settle();
  REQUIRE(early->text() == "MESSAGE_ID_AHEAD");
  CHECK(early->result->error().retry_after == std::chrono::seconds{2});
  rig.pass(ms(2'000));
  const auto later = rig.send(add, "alice", "5", id);
  rig.settle();
  CHECK(later->text() == "5");
  CHECK(!later->repeated());
}

TEST_CASE("a command whose id is ahead of the shard runs once, though it restarts at that moment") {
  Rig rig;
  rig.start();
  // So many commands that the entity's list of ids is given up.
  for (int n = 0; n < 40; ++n) rig.send(add, "alice", "1");
  const MessageId id = rig.id_ahead(ms(10'000));
  rig.send(add, "alice", "5", id);
  rig.settle();
  rig.crash();
  rig.start();
  const auto again = rig.send(add, "alice", "5", id);
  rig.settle();
  CHECK(again->text() == "45");
  CHECK(again->repeated());
}

TEST_CASE("options that change while a shard runs leave the windows as they were") {
  Rig rig;
  rig.start();
  const MessageId id = rig.fresh_id();
  const auto first = rig.send(add, "alice", "5", id);
  rig.settle();
  ShardOptions options;
  options.reply_window = std::chrono::seconds{1};
  options.idempotency_window = std::chrono::hours{48};
  options.batch_commands_max = 1;
  rig.shard->set_options(options);
  rig.pass(std::chrono::minutes{9});
  const auto again = rig.send(add, "alice", "5", id);
  rig.settle();
  CHECK(again->text() == "5");
  CHECK(again->repeated());
  rig.pass(std::chrono::minutes{2});
  const auto late = rig.send(add, "alice", "5", id);
  rig.settle();
  CHECK(late->text() == "MESSAGE_ID_EXPIRED");
}

TEST_CASE("the reply to an id that was ahead of the shard stays until the id counts as too old") {
  Rig rig;
  rig.start();
  for (int n = 0; n < 40; ++n) rig.send(add, "alice", "1");
  const MessageId id = rig.id_ahead(ms(9'000));
  rig.send(add, "alice", "5", id);
  rig.pass(std::chrono::minutes{10} + ms(8'000));
  const auto again = rig.send(add, "alice", "5", id);
  rig.settle();
  CHECK(again->text() == "45");
  CHECK(again->repeated());
  rig.pass(ms(1'000));
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

}  // namespace
}  // namespace troupe::actors::testing
