#include <doctest/doctest.h>

#include "tests/actors/shard/rig.hpp"

namespace troupe::actors::testing {
namespace {

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

TEST_CASE("a shard tells of a handler while it runs") {
  Rig rig;
  rig.start();
  std::vector<std::pair<std::uint32_t, std::int64_t>> seen;
  struct Forget {
    ~Forget() { Counter::while_running = nullptr; }
  } forget_at_the_end;
  Counter::while_running = [&] {
    seen.emplace_back(rig.vitals->handler, rig.vitals->handler_since_ns);
  };
  const auto now = [&] {
    return std::chrono::nanoseconds{rig.platform.clock().now().time_since_epoch()}.count();
  };
  for (const CounterMethod method : {add, explode, get}) {
    CAPTURE(method);
    rig.platform.clock().advance(ms(7));
    rig.send(method, "alice", "1");
    rig.settle();
    REQUIRE_FALSE(seen.empty());
    CHECK(seen.back() == std::pair<std::uint32_t, std::int64_t>{method, now()});
    CHECK(rig.vitals->handler_since_ns == 0);
    seen.clear();
  }
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

TEST_CASE("an entity that keeps its newest events loses the older ones, and nothing else") {
  Rig rig;
  rig.start();
  for (int n = 0; n < 7; ++n) {
    rig.send(add, "forgetful", "2");
    rig.send(add, "alice", "1");
    if (n % 2 == 0) rig.settle();
  }
  rig.settle();
  const auto kept = rig.send(history_size, "forgetful", "");
  const auto all = rig.send(history_size, "alice", "");
  rig.settle();
  CHECK(kept->text() == "3");
  CHECK(all->text() == "7");
  rig.crash();
  rig.start();
  const auto again = rig.send(history_size, "forgetful", "");
  const auto sum = rig.send(get, "forgetful", "");
  rig.settle();
  CHECK(again->text() == "3");
  CHECK(sum->text() == "14");
}

}  // namespace
}  // namespace troupe::actors::testing
