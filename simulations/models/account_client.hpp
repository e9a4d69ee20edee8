// What scenarios about disks do with accounts: each account's history is short steps that all show
// in its balance and statement.
#pragma once

#include <string>

#include "simulations/models/account_model.hpp"
#include "simulations/rehearsal/rehearsal.hpp"

namespace troupe::simulations {

// Many enough that shard files have pages of their own for some.
inline constexpr std::uint64_t account_numbers = 12;

inline std::string any_account(Client& client) {
  return "account-" + std::to_string(client.between(1, account_numbers));
}

inline bank::Money euros(std::int64_t minor_units) {
  bank::Money money;
  money.set_currency("EUR");
  money.set_minor_units(minor_units);
  return money;
}

// Opens it first if nobody has.
inline Task<void> deposit_any(Client& client) {
  const auto account = any_account(client);
  bank::DepositRequest request;
  *request.mutable_amount() = euros(static_cast<std::int64_t>(client.between(1, 100'000)));
  const auto answer = co_await client.call(bank::AccountsRef{account}.Deposit(request));
  if (!answer.refused("ACCOUNT_NOT_OPEN")) co_return;
  bank::OpenRequest open;
  open.set_owner(std::string(client.between(1, 100), 'x'));
  open.set_currency("EUR");
  co_await client.call(bank::AccountsRef{account}.Open(open));
}

inline Task<void> read_statement_of(Client& client, std::string account, std::int32_t page_size) {
  bank::StatementRequest request;
  request.set_order(bank::StatementRequest::OLDEST_FIRST);
  request.set_page_size(page_size);
  do {
    const auto page = co_await client.call(bank::AccountsRef{account}.Statement(request));
    if (!page.ok()) co_return;
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
}

// For the end: the model compares what they show.
inline Script every_account(Reading& read) {
  for (std::uint64_t number = 1; number <= account_numbers; ++number) {
    const auto account = "account-" + std::to_string(number);
    co_await read.call(bank::AccountsRef{account}.Get());
    co_await read_statement_of(read, account, 500);
  }
}

inline Script depositor(Client& client) {
  const auto pace = client.between(std::chrono::milliseconds{5}, std::chrono::milliseconds{80});
  while (client.running()) {
    co_await deposit_any(client);
    co_await client.wait(client.between(Duration{0}, 2 * pace));
  }
}

inline Script reader(Client& client) {
  const auto pace = client.between(std::chrono::milliseconds{20}, std::chrono::milliseconds{150});
  while (client.running()) {
    const auto account = any_account(client);
    if (client.one_in(8)) {  // its rows are read from the file
      co_await read_statement_of(client, account, 200);
    } else {
      co_await client.call(bank::AccountsRef{account}.Get());
    }
    co_await client.wait(client.between(Duration{0}, 2 * pace));
  }
}

// One node with little segments, files and memory, so that much happens to its files in a short
// run.
inline std::string busy_disk_manifest(RandomStream random) {
  const auto number = [&](std::uint64_t low, std::uint64_t high) {
    return std::to_string(random.between(low, high));
  };
  return "[cluster]\nname = \"rehearsal\"\n\n[[nodes]]\nname = \"n1\"\nmesh = \"n1:7400\"\n"
         "gateway = \"n1:8080\"\nadmin = \"n1:7480\"\ndata = \"/data\"\n"
         "services = [\"banking.v1.Accounts\"]\n\n"
         "[service_defaults]\nshards = " +
         number(1, 3) + "\n\n[storage]\nsegment_bytes = \"1MiB\"\nreserve_bytes = \"1MiB\"\n" +
         "log_segments = 2\ncheckpoint_entries = " + number(100, 400) + "\napply_after = \"" +
         number(1, 500) + "ms\"\n";
}

}  // namespace troupe::simulations
