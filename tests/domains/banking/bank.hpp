// Shorthand for tests of the banking context.
#pragma once

#include <string>

#include "actors/testing/entity_harness.hpp"
#include "banking/v1/accounts.troupe.hpp"

namespace banking::tests {

inline v1::Money money(std::int64_t minor_units, const std::string& currency = "EUR") {
  v1::Money result;
  result.set_currency(currency);
  result.set_minor_units(minor_units);
  return result;
}

// The account "alice", run in memory.
class Bank {
 public:
  troupe::Result<v1::Account> open(const std::string& owner = "Alice",
                                   const std::string& currency = "EUR") {
    v1::OpenRequest request;
    request.set_owner(owner);
    request.set_currency(currency);
    return harness_.call(alice_.Open(request));
  }
  troupe::Result<v1::Account> deposit(const v1::Money& amount) {
    v1::DepositRequest request;
    *request.mutable_amount() = amount;
    return harness_.call(alice_.Deposit(request));
  }
  troupe::Result<v1::Account> withdraw(const v1::Money& amount) {
    v1::WithdrawRequest request;
    *request.mutable_amount() = amount;
    return harness_.call(alice_.Withdraw(request));
  }
  troupe::Result<v1::Account> close() { return harness_.call(alice_.Close()); }
  troupe::Result<v1::Account> get() { return harness_.call(alice_.Get()); }
  troupe::Result<v1::StatementPage> statement(v1::StatementRequest request = {}) {
    return harness_.call(alice_.Statement(std::move(request)));
  }

  troupe::testing::EntityHarness& harness() { return harness_; }

 private:
  v1::AccountsRef alice_{"alice"};
  troupe::testing::EntityHarness harness_{"banking.v1.Accounts", "alice"};
};

// The reason of a refusal, or "" if there was none.
template <class T>
std::string reason(const troupe::Result<T>& result) {
  return result ? "" : result.error().reason;
}

}  // namespace banking::tests
