// What an account of banking does, as simply as it can be said.
#pragma once

#include <google/protobuf/util/message_differencer.h>

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "banking/v1/accounts.troupe.hpp"
#include "simulations/rehearsal/model.hpp"

namespace troupe::simulations {

namespace bank = ::banking::v1;

class AccountModel final : public EntityModel<AccountModel> {
 public:
  static void methods(Methods& on) {
    on("Open", &AccountModel::open);
    on("Deposit", &AccountModel::deposit);
    on("Withdraw", &AccountModel::withdraw);
    on("Close", &AccountModel::close);
    on("Get", &AccountModel::get);
    on("Statement", &AccountModel::statement);
  }

  std::string state() const override {
    return std::to_string(status_) + ' ' + std::to_string(balance_) + ' ' + currency_ + ' ' +
           owner_ + ' ' + std::to_string(entries_.size()) + ' ' + std::to_string(entries_hash_);
  }

 private:
  Result<bank::Account> open(const bank::OpenRequest& request) {
    if (request.owner().empty()) return refusal("OWNER_INVALID");
    if (request.currency().size() != 3) return refusal("CURRENCY_UNKNOWN");
    if (status_ == bank::Account::OPEN) return refusal("ACCOUNT_ALREADY_OPEN");
    if (status_ == bank::Account::CLOSED) return refusal("ACCOUNT_CLOSED");
    status_ = bank::Account::OPEN;
    owner_ = request.owner();
    currency_ = request.currency();
    return done(bank::Entry::OPENED, 0);
  }
  Result<bank::Account> deposit(const bank::DepositRequest& request) {
    return move(bank::Entry::DEPOSITED, request.amount(), 1);
  }
  Result<bank::Account> withdraw(const bank::WithdrawRequest& request) {
    return move(bank::Entry::WITHDRAWN, request.amount(), -1);
  }
  Result<bank::Account> close(const bank::CloseRequest&) {
    if (status_ == bank::Account::CLOSED) return refusal("ACCOUNT_CLOSED");
    if (status_ != bank::Account::OPEN) return refusal("ACCOUNT_NOT_OPEN");
    if (balance_ != 0) return refusal("BALANCE_NOT_ZERO");
    status_ = bank::Account::CLOSED;
    return done(bank::Entry::CLOSED, 0);
  }
  Result<bank::Account> get(const bank::GetRequest&) {
    if (status_ == bank::Account::STATUS_UNSPECIFIED) return refusal("ACCOUNT_NOT_OPEN");
    return view();
  }

  // When an entry was booked is learned from the first statement that shows it; it may not change.
  // How long a page is at most the node decides; a shorter one must say that more follows.
  Result<bank::StatementPage> statement(const bank::StatementRequest& request,
                                        const bank::StatementPage* seen) {
    if (status_ == bank::Account::STATUS_UNSPECIFIED) return refusal("ACCOUNT_NOT_OPEN");
    const bool oldest_first = request.order() == bank::StatementRequest::OLDEST_FIRST;
    auto size = static_cast<std::size_t>(request.page_size() > 0 ? request.page_size() : 50);
    if (seen != nullptr && !seen->next_page_token().empty())
      size = std::min(size, static_cast<std::size_t>(seen->entries_size()));
    auto at = request.page_token().empty() ? (oldest_first ? 1 : entries_.size())
                                           : position(request.page_token());
    bank::StatementPage page;
    for (std::size_t i = 0; i < size && at >= 1 && at <= entries_.size(); ++i) {
      auto& entry = entries_[at - 1];
      if (!entry.has_time() && seen != nullptr && static_cast<int>(i) < seen->entries_size()) {
        *entry.mutable_time() = seen->entries(static_cast<int>(i)).time();
        remember(entry);
      }
      *page.add_entries() = entry;
      at = oldest_first ? at + 1 : at - 1;
    }
    if (page.entries_size() > 0 && at >= 1 && at <= entries_.size())
      page.set_next_page_token(token(request.order(), at));
    return page;
  }

  Result<bank::Account> move(bank::Entry::Kind kind, const bank::Money& amount, int sign) {
    if (amount.minor_units() <= 0) return refusal("AMOUNT_NOT_POSITIVE");
    if (status_ == bank::Account::CLOSED) return refusal("ACCOUNT_CLOSED");
    if (status_ != bank::Account::OPEN) return refusal("ACCOUNT_NOT_OPEN");
    if (amount.currency() != currency_) return refusal("CURRENCY_MISMATCH");
    if (sign < 0 && amount.minor_units() > balance_) return refusal("INSUFFICIENT_FUNDS");
    if (sign > 0 && amount.minor_units() > std::numeric_limits<std::int64_t>::max() - balance_)
      return refusal("BALANCE_OVERFLOW");
    balance_ += sign * amount.minor_units();
    return done(kind, amount.minor_units());
  }

  bank::Account done(bank::Entry::Kind kind, std::int64_t amount) {
    bank::Entry entry;
    entry.set_number(entries_.size() + 1);
    entry.set_kind(kind);
    if (kind == bank::Entry::DEPOSITED || kind == bank::Entry::WITHDRAWN)
      *entry.mutable_amount() = money(amount);
    *entry.mutable_balance() = money(balance_);
    remember(entry);
    entries_.push_back(std::move(entry));
    return view();
  }

  bank::Account view() const {
    bank::Account account;
    account.set_account(key());
    account.set_owner(owner_);
    *account.mutable_balance() = money(balance_);
    account.set_status(status_);
    return account;
  }
  bank::Money money(std::int64_t minor_units) const {
    bank::Money money;
    money.set_currency(currency_);
    money.set_minor_units(minor_units);
    return money;
  }

  // A hash over all that was ever done or learned tells states apart.
  void remember(const bank::Entry& entry) {
    entries_hash_ =
        std::hash<std::string>{}(entry.SerializeAsString() + std::to_string(entries_hash_));
  }

  // A page_token is a StatementPosition in hexadecimal digits.
  static std::string token(bank::StatementRequest::Order order, std::size_t number) {
    bank::StatementPosition position;
    position.set_order(order);
    position.set_number(number);
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (const char c : position.SerializeAsString()) {
      text += digits[static_cast<unsigned char>(c) >> 4];
      text += digits[static_cast<unsigned char>(c) & 15];
    }
    return text;
  }
  static std::size_t position(const std::string& token) {
    std::string bytes;
    for (std::size_t i = 0; i + 1 < token.size(); i += 2)
      bytes += static_cast<char>(std::stoi(token.substr(i, 2), nullptr, 16));
    bank::StatementPosition position;
    check(position.ParseFromString(bytes), "a page token that no statement gave: " + token);
    return position.number();
  }

  bank::Account::Status status_ = bank::Account::STATUS_UNSPECIFIED;
  std::string owner_;
  std::string currency_;
  std::int64_t balance_ = 0;
  std::vector<bank::Entry> entries_;
  std::size_t entries_hash_ = 0;
};

}  // namespace troupe::simulations
