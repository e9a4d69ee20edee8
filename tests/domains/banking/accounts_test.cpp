#include <doctest/doctest.h>
#include <google/protobuf/descriptor.h>

#include <limits>

#include "actors/routes.hpp"
#include "tests/domains/banking/bank.hpp"

using namespace banking::tests;
namespace v1 = banking::v1;
using troupe::Code;

constexpr auto most = std::numeric_limits<std::int64_t>::max();

TEST_CASE("an account opens empty, for its owner, in its currency") {
  Bank bank;
  const auto account = bank.open("Alice", "CHF");
  REQUIRE(account);
  CHECK(account->account() == "alice");
  CHECK(account->owner() == "Alice");
  CHECK(account->balance().currency() == "CHF");
  CHECK(account->balance().minor_units() == 0);
  CHECK(account->status() == v1::Account::OPEN);
}

TEST_CASE("an account opens once, even with equal arguments") {
  Bank bank;
  REQUIRE(bank.open());
  const auto again = bank.open();
  REQUIRE_FALSE(again);
  CHECK(again.error().code == Code::already_exists);
  CHECK(again.error().reason == "ACCOUNT_ALREADY_OPEN");
  CHECK(bank.harness().events().size() == 1);
}

TEST_CASE("the owner is named and not endless") {
  Bank bank;
  CHECK(reason(bank.open("")) == "OWNER_INVALID");
  CHECK(reason(bank.open(std::string(201, 'a'))) == "OWNER_INVALID");
  CHECK(bank.open(std::string(200, 'a')));
}

TEST_CASE("the currency is one of ISO 4217") {
  for (const auto* currency : {"", "eur", "EU", "EURO", "XTS", "AED AFN", "ED ", " AE", "E\tR"}) {
    Bank bank;
    const auto opened = bank.open("Alice", currency);
    CHECK(reason(opened) == "CURRENCY_UNKNOWN");
    CHECK(opened.error().code == Code::invalid_argument);
  }
  for (const auto* currency : {"AED", "EUR", "JPY", "ZWG"}) {
    Bank bank;
    CHECK(bank.open("Alice", currency));
  }
}

TEST_CASE("a refusal does not repeat an endless text") {
  Bank bank;
  const auto opened = bank.open("Alice", std::string(1'000'000, 'X'));
  REQUIRE_FALSE(opened);
  CHECK(opened.error().message.find("a text of 1000000 bytes") != std::string::npos);
}

TEST_CASE("deposits and withdrawals add up") {
  Bank bank;
  REQUIRE(bank.open());
  CHECK(bank.deposit(money(1250))->balance().minor_units() == 1250);
  CHECK(bank.withdraw(money(250))->balance().minor_units() == 1000);
  CHECK(bank.withdraw(money(1000))->balance().minor_units() == 0);
  CHECK(bank.get()->balance().minor_units() == 0);
}

TEST_CASE("amounts are positive") {
  Bank bank;
  REQUIRE(bank.open());
  for (const std::int64_t amount : {std::int64_t{0}, std::int64_t{-1}, -most - 1}) {
    CHECK(reason(bank.deposit(money(amount))) == "AMOUNT_NOT_POSITIVE");
    CHECK(reason(bank.withdraw(money(amount))) == "AMOUNT_NOT_POSITIVE");
  }
  CHECK(reason(bank.deposit({})) == "AMOUNT_NOT_POSITIVE");
}

TEST_CASE("a balance never overflows") {
  Bank bank;
  REQUIRE(bank.open());
  REQUIRE(bank.deposit(money(most)));
  const auto refused = bank.deposit(money(1));
  CHECK(reason(refused) == "BALANCE_OVERFLOW");
  CHECK(refused.error().code == Code::out_of_range);
  CHECK(reason(bank.deposit(money(most))) == "BALANCE_OVERFLOW");
  REQUIRE(bank.withdraw(money(1)));
  CHECK(bank.deposit(money(1))->balance().minor_units() == most);
}

TEST_CASE("currencies do not mix") {
  Bank bank;
  REQUIRE(bank.open());
  REQUIRE(bank.deposit(money(100)));
  for (const auto* currency : {"USD", "", "eur"}) {
    const auto refused = bank.withdraw(money(1, currency));
    CHECK(reason(refused) == "CURRENCY_MISMATCH");
    CHECK(refused.error().code == Code::failed_precondition);
    CHECK(reason(bank.deposit(money(1, currency))) == "CURRENCY_MISMATCH");
  }
}

TEST_CASE("more than there is cannot be withdrawn") {
  Bank bank;
  REQUIRE(bank.open());
  REQUIRE(bank.deposit(money(100)));
  const auto refused = bank.withdraw(money(101));
  CHECK(reason(refused) == "INSUFFICIENT_FUNDS");
  CHECK(refused.error().code == Code::failed_precondition);
  CHECK(refused.error().message ==
        "the account \"alice\" has 100 minor units; withdraw at most that, not 101");
  CHECK(bank.get()->balance().minor_units() == 100);
}

TEST_CASE("nothing happens on an account that is not open") {
  Bank bank;
  for (const auto& why : {reason(bank.deposit(money(1))), reason(bank.withdraw(money(1))),
                          reason(bank.close()), reason(bank.get()), reason(bank.statement())})
    CHECK(why == "ACCOUNT_NOT_OPEN");
  CHECK(bank.get().error().code == Code::not_found);
  CHECK(bank.harness().events().empty());
}

TEST_CASE("an account closes when it is empty, for ever, and can still be read") {
  Bank bank;
  REQUIRE(bank.open());
  REQUIRE(bank.deposit(money(1)));
  CHECK(reason(bank.close()) == "BALANCE_NOT_ZERO");
  REQUIRE(bank.withdraw(money(1)));
  CHECK(bank.close()->status() == v1::Account::CLOSED);
  for (const auto& why : {reason(bank.open()), reason(bank.deposit(money(1))),
                          reason(bank.withdraw(money(1))), reason(bank.close())})
    CHECK(why == "ACCOUNT_CLOSED");
  CHECK(bank.get()->owner() == "Alice");
  CHECK(bank.statement()->entries_size() == 4);
}

TEST_CASE("an account that was dropped from memory goes on where it was") {
  Bank bank;
  REQUIRE(bank.open());
  REQUIRE(bank.deposit(money(100)));
  bank.harness().reload();
  CHECK(bank.withdraw(money(40))->balance().minor_units() == 60);
}

TEST_CASE("the routes of the context do not clash") {
  CHECK(troupe::actors::check_routes(troupe::actors::ServiceRegistry::global()));
}
