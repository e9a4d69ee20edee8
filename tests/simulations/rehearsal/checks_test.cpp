// Every check of a history is shown what it must find, and the nearest thing that is allowed.
#include <doctest/doctest.h>

#include "tests/simulations/rehearsal/told.hpp"

namespace troupe::simulations::testing {
namespace {

TEST_CASE("a history that a single account explains holds") {
  Told told;
  told.succeeds(deposit(5), 10ms, 12ms, 5, 2);
  told.succeeds(deposit(3), 20ms, 22ms, 8, 3);
  told.succeeds(get(), 30ms, 31ms, 8, 3);
  told.refused(withdraw(9), 40ms, 41ms, "INSUFFICIENT_FUNDS");
  told.succeeds(withdraw(8), 50ms, 51ms, 0, 4);
  CHECK(told.model_holds());
  CHECK(told.linearizable());
  CHECK(told.positions_hold());
}

TEST_CASE("a lost write is found, and both sides of the difference are told") {
  Told told;
  told.succeeds(deposit(5), 10ms, 12ms, 5, 2);
  told.succeeds(deposit(3), 20ms, 22ms, 3, 3);  // the 5 are gone
  const auto report = told.model();
  REQUIRE(report.failure);
  CHECK(report.failure->check == "model");
  CHECK(report.failure->at == Duration{22ms});
  CHECK(report.failure->what.find("seen:     Account { account: \"ann\" owner: \"Ann\" balance { "
                                  "currency: \"EUR\" minor_units: 3 }") != std::string::npos);
  CHECK(report.failure->what.find("minor_units: 8") != std::string::npos);
  CHECK_FALSE(told.linearizable());
}

TEST_CASE("a doubled write is found") {
  Told told;
  told.succeeds(deposit(5), 10ms, 12ms, 5, 2);
  told.succeeds(get(), 20ms, 22ms, 10, 3);
  CHECK_FALSE(told.model_holds());
  CHECK_FALSE(told.linearizable());
}

TEST_CASE("a stale read is found by its reply, or by its position") {
  Told told;
  told.succeeds(deposit(5), 10ms, 12ms, 5, 2);
  SUBCASE("it says that it is current") {
    told.succeeds(get(), 20ms, 22ms, 0, 2);
    CHECK_FALSE(told.model_holds());
    CHECK(told.positions_hold());
  }
  SUBCASE("it says that it is old") {
    told.succeeds(get(), 20ms, 22ms, 0, 1);
    CHECK_FALSE(told.positions_hold());
    CHECK_FALSE(told.model_holds());
  }
  CHECK_FALSE(told.linearizable());
}

TEST_CASE("a read that was under way together with a write may see either") {
  Told told;
  told.succeeds(deposit(5), 10ms, 20ms, 5, 2);
  SUBCASE("before") {
    told.succeeds(get(), 11ms, 12ms, 0, 1);
  }
  SUBCASE("after") {
    told.succeeds(get(), 11ms, 12ms, 5, 2);
  }
  CHECK(told.model_holds());
  CHECK(told.linearizable());
  CHECK(told.positions_hold());
}

TEST_CASE("an unknown command may have run before what fits before and behind it") {
  Told told;
  told.unknown(deposit(5), 10ms).settled = 15ms;
  told.refused(open(), 20ms, 22ms, "ACCOUNT_ALREADY_OPEN");
  told.succeeds(get(), 30ms, 32ms, 5, 2);
  CHECK(told.model_holds());
  CHECK(told.linearizable());
}

TEST_CASE("a read that saw a write which later reads do not see is found") {
  Told told;
  told.unknown(deposit(5), 10ms);
  told.succeeds(get(), 20ms, 22ms, 5, 2);
  CHECK(told.model_holds());
  told.succeeds(get(), 30ms, 32ms, 0, 2);
  CHECK_FALSE(told.model_holds());
  CHECK_FALSE(told.linearizable());
}

TEST_CASE("an impossible refusal is found") {
  Told told;
  told.succeeds(deposit(5), 10ms, 12ms, 5, 2);
  SUBCASE("the money was there") {
    told.refused(withdraw(5), 20ms, 22ms, "INSUFFICIENT_FUNDS");
  }
  SUBCASE("for another reason than the model's") {
    told.refused(withdraw(6), 20ms, 22ms, "BALANCE_OVERFLOW");
  }
  CHECK_FALSE(told.model_holds());
  CHECK_FALSE(told.linearizable());
}

TEST_CASE("a success that the model refuses is found") {
  Told told;
  told.succeeds(withdraw(5), 10ms, 12ms, -5, 2);
  CHECK_FALSE(told.model_holds());
}

TEST_CASE("an unknown command has its place where others saw it, once") {
  Told told;
  told.unknown(deposit(100), 5ms);
  told.unknown(deposit(1000), 6ms);
  told.succeeds(deposit(5), 10ms, 12ms, 5, 2);
  SUBCASE("nobody saw it") {
    told.succeeds(get(), 20ms, 21ms, 5, 2);
    CHECK(told.model_holds());
    CHECK(told.linearizable());
  }
  SUBCASE("it took effect long after its client had given up") {
    told.succeeds(get(), 20ms, 21ms, 5, 2);
    told.succeeds(get(), 30ms, 31ms, 1005, 3);
    told.succeeds(get(), 40ms, 41ms, 1105, 4);
    CHECK(told.model_holds());
    CHECK(told.linearizable());
  }
  SUBCASE("it took effect twice") {
    told.succeeds(get(), 20ms, 21ms, 205, 4);
    CHECK_FALSE(told.model_holds());
    CHECK_FALSE(told.linearizable());
  }
}

TEST_CASE("a command takes no effect before it was sent") {
  Told told;
  told.succeeds(get(), 10ms, 11ms, 5, 2);
  told.unknown(deposit(5), 20ms);
  CHECK_FALSE(told.model_holds());
  CHECK_FALSE(told.linearizable());
}

TEST_CASE("commands of one batch may have run in any order, those of two in theirs only") {
  Told told;
  told.succeeds(deposit(5), 10ms, 20ms, 8, 2);
  SUBCASE("one batch") {
    told.succeeds(deposit(3), 11ms, 20ms, 3, 2);
    CHECK(told.model_holds());
  }
  SUBCASE("the other one says that it came later") {
    told.succeeds(deposit(3), 11ms, 20ms, 3, 3);
    CHECK_FALSE(told.model_holds());
  }
  CHECK(told.linearizable());  // which knows nothing of positions, and time allows both
}

TEST_CASE("a replayed reply stands at its effect, somewhere before its position") {
  Told told;
  told.succeeds(deposit(5), 10ms, 40ms, 5, 3).replayed = true;
  told.succeeds(deposit(3), 20ms, 30ms, 8, 3);
  CHECK(told.model_holds());
  CHECK(told.positions_hold());
  auto& late = told.succeeds(deposit(1), 50ms, 90ms, 10, 4);
  late.replayed = true;
  CHECK(told.succeeds(deposit(1), 60ms, 70ms, 9, 5).number == 5);
  CHECK_FALSE(told.model_holds());  // its effect would stand behind its position
}

TEST_CASE("positions agree with time, over all entities of a shard") {
  Told told;
  told.succeeds(deposit(5), 10ms, 12ms, 5, 7);
  auto& other = told.succeeds(get(), 20ms, 22ms, 5, 6);
  other.key = "bob";
  const auto wrong = check_positions(told.history());
  REQUIRE(wrong);
  CHECK(wrong->check == "position");
  CHECK(wrong->what.find("Deposit(ann)") != std::string::npos);
  CHECK(wrong->what.find("Get(bob)") != std::string::npos);
  other.position->index = 7;
  CHECK(told.positions_hold());
  SUBCASE("a reply without one") {
    other.position.reset();
  }
  SUBCASE("an entity of a shard that it had left") {
    auto& moved = told.succeeds(get(), 30ms, 32ms, 5, 8);
    moved.position->shard = 1;
    CHECK(told.positions_hold());  // its shard was split
    told.succeeds(get(), 40ms, 42ms, 5, 9);
  }
  CHECK_FALSE(told.positions_hold());
}

TEST_CASE("a history of hundreds of concurrent commands is decided in about as many steps") {
  Told told;
  std::int64_t balance = 0;
  for (int i = 0; i < 500; ++i) {
    const auto at = std::chrono::milliseconds{10 + i};
    if (i % 25 == 0) told.unknown(deposit(1'000'000 + i), at);
    balance += i + 1;
    told.succeeds(deposit(i + 1), at, at + 8ms, balance, static_cast<std::uint64_t>(i) + 2);
  }
  const auto report = told.model();
  CHECK_FALSE(report.failure);
  CHECK(report.undecided == 0);
  CHECK(report.steps < 1000);
  CHECK(told.linearizable());
}

TEST_CASE("positions are read from what the header says") {
  const std::string service = "banking.v1.Accounts";
  CHECK(Position::parse("banking.v1.Accounts/2@17", service) == Position{2, 17});
  for (const auto* wrong :
       {"", "banking.v1.Accounts", "banking.v1.Accounts/2", "other/2@17", "banking.v1.Accounts/2@",
        "banking.v1.Accounts/2@x", "banking.v1.Accounts/@1", "banking.v1.Accounts/2@17 "})
    CHECK_FALSE(Position::parse(wrong, service));
}

}  // namespace
}  // namespace troupe::simulations::testing
