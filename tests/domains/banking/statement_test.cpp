#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "tests/domains/banking/bank.hpp"

using namespace banking::tests;
namespace v1 = banking::v1;

namespace {

// Opened, then `deposits` deposits of 1, 2, 3 ...
void fill(Bank& bank, int deposits) {
  REQUIRE(bank.open());
  for (int i = 1; i <= deposits; ++i) {
    bank.harness().advance(std::chrono::milliseconds{1500});
    REQUIRE(bank.deposit(money(i)));
  }
}

v1::StatementRequest asking(int page_size, v1::StatementRequest::Order order) {
  v1::StatementRequest request;
  request.set_page_size(page_size);
  request.set_order(order);
  return request;
}

// The numbers of all entries, page after page.
std::vector<std::uint64_t> numbers(Bank& bank, v1::StatementRequest request) {
  std::vector<std::uint64_t> found;
  for (;;) {
    const auto page = bank.statement(request);
    REQUIRE(page);
    for (const auto& entry : page->entries()) found.push_back(entry.number());
    if (page->next_page_token().empty()) return found;
    CHECK(page->entries_size() == request.page_size());
    request.set_page_token(page->next_page_token());
  }
}

}  // namespace

TEST_CASE("a statement tells number, time, amount and balance of every entry") {
  Bank bank;
  REQUIRE(bank.open("Alice", "JPY"));
  bank.harness().advance(std::chrono::milliseconds{1500});
  REQUIRE(bank.deposit(money(70, "JPY")));
  REQUIRE(bank.withdraw(money(70, "JPY")));
  REQUIRE(bank.close());
  const auto page = bank.statement(asking(10, v1::StatementRequest::OLDEST_FIRST));
  REQUIRE(page);
  REQUIRE(page->entries_size() == 4);
  const auto& entries = page->entries();
  CHECK(entries[0].kind() == v1::Entry::OPENED);
  CHECK(entries[0].number() == 1);
  CHECK(entries[0].time().seconds() == 1'700'000'000);
  CHECK_FALSE(entries[0].has_amount());
  CHECK(entries[0].balance().currency() == "JPY");
  CHECK(entries[1].kind() == v1::Entry::DEPOSITED);
  CHECK(entries[1].time().seconds() == 1'700'000'001);
  CHECK(entries[1].time().nanos() == 500'000'000);
  CHECK(entries[1].amount().minor_units() == 70);
  CHECK(entries[1].amount().currency() == "JPY");
  CHECK(entries[1].balance().minor_units() == 70);
  CHECK(entries[2].kind() == v1::Entry::WITHDRAWN);
  CHECK(entries[2].amount().minor_units() == 70);
  CHECK(entries[2].balance().minor_units() == 0);
  CHECK(entries[3].kind() == v1::Entry::CLOSED);
  CHECK(entries[3].number() == 4);
  CHECK(page->next_page_token().empty());
}

TEST_CASE("pages hold every entry once, from either end") {
  for (int entries = 1; entries <= 7; ++entries)
    for (int size = 1; size <= 8; ++size) {
      Bank bank;
      fill(bank, entries - 1);
      auto oldest = numbers(bank, asking(size, v1::StatementRequest::OLDEST_FIRST));
      std::vector<std::uint64_t> expected;
      for (int i = 1; i <= entries; ++i) expected.push_back(static_cast<std::uint64_t>(i));
      CHECK(oldest == expected);
      std::ranges::reverse(expected);
      CHECK(numbers(bank, asking(size, v1::StatementRequest::NEWEST_FIRST)) == expected);
    }
}

TEST_CASE("entries that come between two pages are neither skipped nor shown twice") {
  Bank bank;
  fill(bank, 5);
  auto newest = asking(4, v1::StatementRequest::NEWEST_FIRST);
  auto oldest = asking(4, v1::StatementRequest::OLDEST_FIRST);
  newest.set_page_token(bank.statement(newest)->next_page_token());
  oldest.set_page_token(bank.statement(oldest)->next_page_token());
  REQUIRE(bank.deposit(money(1)));
  CHECK(numbers(bank, newest) == std::vector<std::uint64_t>{2, 1});
  CHECK(numbers(bank, oldest) == std::vector<std::uint64_t>{5, 6, 7});
}

TEST_CASE("the size of a page is bounded") {
  Bank bank;
  fill(bank, 600);
  CHECK(bank.statement()->entries_size() == 50);
  CHECK(bank.statement(asking(501, v1::StatementRequest::NEWEST_FIRST))->entries_size() == 500);
  CHECK(bank.statement(asking(2'000'000'000, {}))->entries_size() == 500);
  CHECK(reason(bank.statement(asking(-1, {}))) == "PAGE_SIZE_NEGATIVE");
}

TEST_CASE("a page token that was made up, changed or is of another order is refused") {
  Bank bank;
  fill(bank, 5);
  auto request = asking(2, v1::StatementRequest::OLDEST_FIRST);
  const auto token = bank.statement(request)->next_page_token();
  request.set_page_token(token);
  CHECK(bank.statement(request));
  for (const auto& other : {token + "0", token + "zz", token.substr(2), std::string{"x"},
                            std::string{"0801"}, std::string{"ffffffff"}, "\n" + token}) {
    request.set_page_token(other);
    CHECK_MESSAGE(reason(bank.statement(request)) == "PAGE_TOKEN_INVALID", other);
  }
  request.set_page_token(token);
  request.set_order(v1::StatementRequest::NEWEST_FIRST);
  CHECK(reason(bank.statement(request)) == "PAGE_TOKEN_INVALID");
}

TEST_CASE("an order that this version does not know is refused") {
  Bank bank;
  fill(bank, 1);
  CHECK(reason(bank.statement(asking(1, static_cast<v1::StatementRequest::Order>(7)))) ==
        "ORDER_UNKNOWN");
}
