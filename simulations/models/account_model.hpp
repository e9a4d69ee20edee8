// What an account of banking does, as simply as it can be said.
#pragma once

#include <algorithm>
#include <limits>
#include <map>
#include <memory>
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
           owner_ + ' ' + std::to_string(size_) + ' ' + std::to_string(hash_);
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
    auto at =
        request.page_token().empty() ? (oldest_first ? 1 : size_) : position(request.page_token());
    if (!oldest_first) at = std::min(at, size_);  // a page of entries that were lost: the newest
    bank::StatementPage page;
    for (std::size_t i = 0; i < size && at >= 1 && at <= size_; ++i) {
      auto& entry = *page.add_entries();
      entry = (*entries_)[at - 1];
      if (seen != nullptr && static_cast<int>(i) < seen->entries_size())
        *entry.mutable_time() = time_of(at, seen->entries(static_cast<int>(i)).time());
      at = oldest_first ? at + 1 : at - 1;
    }
    if (page.entries_size() > 0 && at >= 1 && at <= size_)
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
    entry.set_number(size_ + 1);
    entry.set_kind(kind);
    if (kind == bank::Entry::DEPOSITED || kind == bank::Entry::WITHDRAWN)
      *entry.mutable_amount() = money(amount);
    *entry.mutable_balance() = money(balance_);
    remember(entry);
    if (entries_->size() > size_)  // a copy of this one went another way
      entries_ = std::make_shared<Entries>(entries_->begin(),
                                           entries_->begin() + static_cast<std::ptrdiff_t>(size_));
    entries_->push_back(std::move(entry));
    ++size_;
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

  // What the first statement said that showed the entry.
  google::protobuf::Timestamp time_of(std::size_t number, const google::protobuf::Timestamp& seen) {
    if (const auto known = times_->find(number); known != times_->end()) return known->second;
    times_ = std::make_shared<Times>(*times_);
    (*times_)[number] = seen;
    remember(seen);
    return seen;
  }

  // A hash over all that was ever done or learned tells states apart.
  void remember(const google::protobuf::Message& fact) {
    hash_ = std::hash<std::string>{}(fact.SerializeAsString() + std::to_string(hash_));
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
  // Searching for an order copies models often: copies share what is behind them. An entry beyond
  // `size_` is another's.
  using Entries = std::vector<bank::Entry>;
  using Times = std::map<std::size_t, google::protobuf::Timestamp>;
  std::shared_ptr<Entries> entries_ = std::make_shared<Entries>();
  std::size_t size_ = 0;
  std::shared_ptr<Times> times_ = std::make_shared<Times>();  // by number; replaced, never changed
  std::size_t hash_ = 0;
};

}  // namespace troupe::simulations
