// Random commands against an account and against the simplest model of one: both agree after every
// step. A failure prints the seed, which repeats it.
#include <doctest/doctest.h>

#include <limits>
#include <random>
#include <vector>

#include "tests/domains/banking/bank.hpp"
#include "tests/seeds.hpp"

using namespace banking::tests;
namespace v1 = banking::v1;

namespace {

constexpr auto most = std::numeric_limits<std::int64_t>::max();

struct Model {
  v1::Account::Status status = v1::Account::STATUS_UNSPECIFIED;
  std::string currency;
  __extension__ typedef __int128 Wide;  // cannot overflow here
  Wide balance = 0;
  struct Entry {
    v1::Entry::Kind kind;
    std::int64_t amount;
    std::int64_t balance;
  };
  std::vector<Entry> entries;

  std::string open(const std::string& with_currency) {
    if (with_currency == "") return "CURRENCY_UNKNOWN";
    if (status == v1::Account::OPEN) return "ACCOUNT_ALREADY_OPEN";
    if (status == v1::Account::CLOSED) return "ACCOUNT_CLOSED";
    status = v1::Account::OPEN;
    currency = with_currency;
    return done(v1::Entry::OPENED, 0);
  }
  std::string move(const v1::Money& amount, bool in) {
    if (amount.minor_units() <= 0) return "AMOUNT_NOT_POSITIVE";
    if (status == v1::Account::CLOSED) return "ACCOUNT_CLOSED";
    if (status != v1::Account::OPEN) return "ACCOUNT_NOT_OPEN";
    if (amount.currency() != currency) return "CURRENCY_MISMATCH";
    const Wide after = in ? balance + amount.minor_units() : balance - amount.minor_units();
    if (after > most) return "BALANCE_OVERFLOW";
    if (after < 0) return "INSUFFICIENT_FUNDS";
    balance = after;
    return done(in ? v1::Entry::DEPOSITED : v1::Entry::WITHDRAWN, amount.minor_units());
  }
  std::string close() {
    if (status == v1::Account::CLOSED) return "ACCOUNT_CLOSED";
    if (status != v1::Account::OPEN) return "ACCOUNT_NOT_OPEN";
    if (balance != 0) return "BALANCE_NOT_ZERO";
    status = v1::Account::CLOSED;
    return done(v1::Entry::CLOSED, 0);
  }

 private:
  std::string done(v1::Entry::Kind kind, std::int64_t amount) {
    entries.push_back({kind, amount, static_cast<std::int64_t>(balance)});
    return "";
  }
};

class Run {
 public:
  explicit Run(std::uint64_t seed) : random_(seed) {}

  void step() {
    switch (below(10)) {
      case 0: {
        const auto with_currency = currency();
        return agree(model_.open(with_currency), bank_.open("Alice", with_currency));
      }
      case 1:
        return agree(model_.close(), bank_.close());
      case 2:
        return bank_.harness().reload();
      case 3:  // everything, so that accounts get empty and close now and then
        return withdraw(money(static_cast<std::int64_t>(model_.balance), model_.currency));
      case 4:
      case 5:
      case 6:
        return withdraw(money(amount(), currency()));
      default: {
        const auto into = money(amount(), currency());
        return agree(model_.move(into, true), bank_.deposit(into));
      }
    }
  }

  void check_statement() {
    v1::StatementRequest request;
    request.set_order(v1::StatementRequest::OLDEST_FIRST);
    if (model_.entries.empty()) {
      CHECK(reason(bank_.statement(request)) == "ACCOUNT_NOT_OPEN");
      return;
    }
    std::size_t at = 0;
    do {
      request.set_page_size(static_cast<int>(below(9)) + 1);
      const auto page = bank_.statement(request);
      REQUIRE(page);
      for (const auto& entry : page->entries()) {
        REQUIRE(at < model_.entries.size());
        const auto& expected = model_.entries[at++];
        CHECK(entry.number() == at);
        CHECK(entry.kind() == expected.kind);
        CHECK(entry.amount().minor_units() == expected.amount);
        CHECK(entry.balance().minor_units() == expected.balance);
        CHECK(entry.balance().currency() == model_.currency);
      }
      request.set_page_token(page->next_page_token());
    } while (!request.page_token().empty());
    CHECK(at == model_.entries.size());
  }

  bool closed() const { return model_.status == v1::Account::CLOSED; }

 private:
  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }

  std::int64_t amount() {
    switch (below(12)) {
      case 0:
        return 0;
      case 1:
        return -static_cast<std::int64_t>(below(100));
      case 2:
        return most - static_cast<std::int64_t>(below(3));
      case 3:
        return most / 2 + static_cast<std::int64_t>(below(3));
      default:
        return static_cast<std::int64_t>(below(1000)) + 1;
    }
  }
  std::string currency() {
    switch (below(8)) {
      case 0:
        return "USD";
      case 1:
        return "";
      default:
        return "EUR";
    }
  }

  void withdraw(const v1::Money& amount) {
    agree(model_.move(amount, false), bank_.withdraw(amount));
  }

  void agree(const std::string& expected, const troupe::Result<v1::Account>& account) {
    CHECK(reason(account) == expected);
    const auto now = bank_.get();
    CHECK(now.has_value() == (model_.status != v1::Account::STATUS_UNSPECIFIED));
    if (!now) return;
    CHECK(now->status() == model_.status);
    CHECK(now->balance().minor_units() == static_cast<std::int64_t>(model_.balance));
    CHECK(now->balance().currency() == model_.currency);
    CHECK(bank_.harness().events().size() == model_.entries.size());
    if (account) CHECK(account->SerializeAsString() == now->SerializeAsString());
  }

  std::mt19937_64 random_;
  Model model_;
  Bank bank_;
};

}  // namespace

TEST_CASE("an account does what its model does, whatever is asked of it") {
  int closed = 0;
  for (std::uint64_t seed = 1; seed <= troupe::tests::seeds(200); ++seed) {
    CAPTURE(seed);
    Run run{seed};
    for (int step = 0; step < 100; ++step) run.step();
    run.check_statement();
    closed += run.closed() ? 1 : 0;
  }
  // The sequences reach both ends of an account's life.
  CHECK(closed > 20);
  CHECK(closed < 200);
}
