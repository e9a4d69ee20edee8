// Histories as a test tells them: who called what, when, and what came back.
#pragma once

#include <string>

#include "banking/v1/accounts.troupe.hpp"
#include "simulations/models/account_model.hpp"
#include "simulations/rehearsal/checks.hpp"

namespace troupe::simulations::testing {

using namespace std::chrono_literals;

inline bank::Money euros(std::int64_t cents) {
  bank::Money money;
  money.set_currency("EUR");
  money.set_minor_units(cents);
  return money;
}
inline bank::Account account(std::int64_t cents) {
  bank::Account account;
  account.set_account("ann");
  account.set_owner("Ann");
  *account.mutable_balance() = euros(cents);
  account.set_status(bank::Account::OPEN);
  return account;
}

inline actors::CallBase open() {
  bank::OpenRequest request;
  request.set_owner("Ann");
  request.set_currency("EUR");
  return bank::AccountsRef{"ann"}.Open(request);
}
inline actors::CallBase deposit(std::int64_t cents) {
  bank::DepositRequest request;
  *request.mutable_amount() = euros(cents);
  return bank::AccountsRef{"ann"}.Deposit(request);
}
inline actors::CallBase withdraw(std::int64_t cents) {
  bank::WithdrawRequest request;
  *request.mutable_amount() = euros(cents);
  return bank::AccountsRef{"ann"}.Withdraw(request);
}
inline actors::CallBase get() {
  return bank::AccountsRef{"ann"}.Get();
}

// An account "ann" that was opened at index 1 in the first second.
class Told {
 public:
  Told() { succeeds(open(), 0ms, 1ms, 0, 1); }

  // It came back with this balance, from this index of shard 0.
  Operation& succeeds(const actors::CallBase& call, Duration from, Duration to,
                      std::int64_t balance, std::uint64_t index) {
    auto& operation = begin(call, from, to);
    operation.outcome = Operation::Outcome::success;
    operation.reply = actors::encode_deterministic(account(balance));
    operation.position = Position{0, index};
    return operation;
  }
  Operation& refused(const actors::CallBase& call, Duration from, Duration to,
                     const std::string& reason) {
    auto& operation = begin(call, from, to);
    operation.outcome = Operation::Outcome::refused;
    operation.reason = reason;
    return operation;
  }
  Operation& unknown(const actors::CallBase& call, Duration from) {
    auto& operation = begin(call, from, from + 1ms);
    operation.outcome = Operation::Outcome::unknown;
    return operation;
  }

  bool model_holds() const { return !model().failure; }
  ReplayReport model() const { return check_model(history_, models()); }
  bool linearizable() const { return !check_linearizability(history_, models()).failure; }
  bool positions_hold() const { return !check_positions(history_); }
  const History& history() const { return history_; }

 private:
  static Models models() { return {{"banking.v1.Accounts", AccountModel::maker()}}; }
  Operation& begin(const actors::CallBase& call, Duration from, Duration to) {
    auto& operation = history_.begin(*call.service, call.method);
    operation.client = "client " + std::to_string(operation.number);
    operation.key = call.key;
    operation.request = call.payload;
    operation.invoked = from;
    operation.returned = to;
    return operation;
  }

  History history_;
};

}  // namespace troupe::simulations::testing
