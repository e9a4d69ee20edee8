#include "simulations/models/ledger_clients.hpp"

#include <cstdint>
#include <string>
#include <vector>

#include "simulations/models/account_client.hpp"

namespace troupe::simulations {
namespace {

using namespace std::chrono_literals;
using bank::AccountsRef;

// Some need escapes in a path. The last one is closed now and then.
const std::vector<std::string>& accounts() {
  static const std::vector<std::string> names{"ann",     "bob",        "carol, bob & co",
                                              "50%/a:b", "zo\xc3\xab", "temp"};
  return names;
}

Task<bool> open(Client& client, const std::string& account) {
  bank::OpenRequest request;
  request.set_owner(client.name());
  request.set_currency("EUR");
  const auto answer = co_await client.call(AccountsRef{account}.Open(request));
  co_return answer.ok() || answer.refused("ACCOUNT_ALREADY_OPEN");
}

Task<void> deposit(Client& client, const std::string& account) {
  bank::DepositRequest request;
  // Different amounts, so that a balance tells which of them it holds; now and then a wrong one.
  *request.mutable_amount() =
      euros(client.one_in(50) ? 0 : static_cast<std::int64_t>(client.between(1, 100'000)));
  if (client.one_in(50)) request.mutable_amount()->set_currency("USD");
  const auto answer = co_await client.call(AccountsRef{account}.Deposit(request));
  if (!answer.ok()) co_return;
  // Callers who are not sure, or use a key again.
  if (client.one_in(10)) {
    request.mutable_amount()->set_minor_units(request.amount().minor_units() + 1);
    const actors::CallBase other = AccountsRef{account}.Deposit(request);
    co_await client.misuse(other);
  }
  if (client.one_in(10)) co_await client.repeat();
}

Task<void> withdraw(Client& client, const std::string& account) {
  const auto balance = co_await client.call(AccountsRef{account}.Get());
  const auto most = balance.ok() ? balance->balance().minor_units() : 1000;
  bank::WithdrawRequest request;
  *request.mutable_amount() = euros(
      client.one_in(10)
          ? most
          : static_cast<std::int64_t>(client.between(1, static_cast<std::uint64_t>(most) + 10)));
  co_await client.call(AccountsRef{account}.Withdraw(request));
}

Task<void> read_statement(Client& client, const std::string& account) {
  bank::StatementRequest request;
  request.set_order(client.one_in(2) ? bank::StatementRequest::NEWEST_FIRST
                                     : bank::StatementRequest::OLDEST_FIRST);
  request.set_page_size(static_cast<std::int32_t>(client.between(0, 20)));
  for (int pages = 0; pages < 3; ++pages) {
    const auto page = co_await client.call(AccountsRef{account}.Statement(request));
    if (!page.ok() || page->next_page_token().empty()) co_return;
    request.set_page_token(page->next_page_token());
  }
}

// One of many accounts that are used so rarely that they leave memory in between.
Task<void> look_into_the_drawer(Client& client) {
  const auto account = "drawer " + std::to_string(client.between(1, 30));
  co_await open(client, account);
  co_await deposit(client, account);
  co_await client.wait(client.between(0ms, 2s));
  co_await client.call(AccountsRef{account}.Get());
}

// Sends the same again when it has long been answered, and the node was perhaps started again.
Script doubter(Client& client) {
  while (client.running()) {
    co_await deposit(client, accounts()[client.between(0, accounts().size() - 2)]);
    co_await client.wait(client.between(0ms, client.one_in(2) ? 15s : 1s));
    co_await client.repeat();
  }
}

// Reads one account all the time, and never waits for a command.
Script spectator(Client& client) {
  const auto& account = accounts()[client.between(0, 1)];
  const auto pace = client.between(10ms, 60ms);
  while (client.running()) {
    co_await client.call(AccountsRef{account}.Get());
    co_await client.wait(client.between(0ms, 2 * pace));
  }
}

Script collector(Client& client) {
  while (client.running()) {
    co_await look_into_the_drawer(client);
    co_await client.wait(client.between(0ms, 200ms));
  }
}

Script customer(Client& client) {
  const auto pace = client.between(5ms, 150ms);
  while (client.running()) {
    const auto& account = accounts()[client.between(0, accounts().size() - 1)];
    const auto what = client.between(1, 100);
    if (what <= 45) {
      co_await deposit(client, account);
    } else if (what <= 75) {
      co_await withdraw(client, account);
    } else if (what <= 85) {
      co_await client.call(AccountsRef{account}.Get());
    } else if (what <= 90) {
      co_await read_statement(client, account);
    } else if (what <= 98 || account != accounts().back()) {
      co_await open(client, account);
    } else {
      co_await client.call(AccountsRef{account}.Close());
    }
    co_await client.wait(client.between(0ms, 2 * pace));
  }
}

// Every entry follows from the one before it, and the last one is the balance.
Script balances_add_up(Reading& read) {
  for (const auto& account : accounts()) {
    const auto now = co_await read.call(AccountsRef{account}.Get());
    if (now.refused("ACCOUNT_NOT_OPEN")) continue;
    read.expect(now.ok(), account + " cannot be read: " +
                              (now.refused() ? now.refusal().reason : "no answer"));
    if (!now.ok()) continue;
    bank::StatementRequest request;
    request.set_order(bank::StatementRequest::OLDEST_FIRST);
    request.set_page_size(500);
    std::int64_t sum = 0;
    std::uint64_t number = 0;
    do {
      const auto page = co_await read.call(AccountsRef{account}.Statement(request));
      read.expect(page.ok(), account + " has no statement");
      if (!page.ok()) co_return;
      for (const auto& entry : page->entries()) {
        sum += entry.kind() == bank::Entry::WITHDRAWN ? -entry.amount().minor_units()
                                                      : entry.amount().minor_units();
        read.expect(entry.number() == ++number && entry.balance().minor_units() == sum,
                    account + ", entry " + std::to_string(entry.number()) + ": the balance is " +
                        std::to_string(entry.balance().minor_units()) + ", its entries add up to " +
                        std::to_string(sum));
      }
      request.set_page_token(page->next_page_token());
    } while (!request.page_token().empty());
    read.expect(sum == now->balance().minor_units(),
                account + " holds " + std::to_string(now->balance().minor_units()) +
                    ", its statement adds up to " + std::to_string(sum));
  }
}

}  // namespace

void declare_ledger(Rehearsal& sim, const LedgerClients& clients) {
  sim.model<AccountModel>("banking.v1.Accounts");
  sim.clients(clients.customers, customer);
  sim.clients(clients.doubters, doubter);
  sim.clients(clients.collectors, collector);
  if (clients.spectators > 0) sim.clients(clients.spectators, spectator);
  sim.always("no balance is negative",
             [](const bank::Account& account) { return account.balance().minor_units() >= 0; });
  sim.finally("the balances add up", balances_add_up);
}

}  // namespace troupe::simulations
