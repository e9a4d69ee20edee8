// What an account does. Money is counted in minor units, so that sums are exact.
#include <limits>

#include "banking/v1/accounts.troupe.hpp"
#include "domains/banking/currency.hpp"
#include "domains/banking/refusals.hpp"
#include "domains/banking/statement.hpp"

namespace banking {
namespace {

constexpr std::size_t owner_bytes_max = 200;
constexpr std::int64_t balance_max = std::numeric_limits<std::int64_t>::max();

class Account final : public v1::AccountsEntity {
  Result<v1::Account> Open(const v1::OpenRequest& request, Effects& effects) const override {
    if (request.owner().empty() || request.owner().size() > owner_bytes_max)
      return refusals::owner_invalid(request.owner().size(), owner_bytes_max);
    if (!is_currency(request.currency())) return refusals::currency_unknown(request.currency());
    if (state().status() == v1::Account::OPEN) return refusals::already_open(key());
    if (state().status() == v1::Account::CLOSED) return refusals::closed(key());
    v1::Opened event;
    event.set_owner(request.owner());
    event.set_currency(request.currency());
    effects.emit(event);
    return view();
  }

  Result<v1::Account> Deposit(const v1::DepositRequest& request, Effects& effects) const override {
    const auto amount = request.amount().minor_units();
    TROUPE_CHECK(accepts(request.amount()));
    if (amount > balance_max - state().balance())
      return refusals::balance_overflow(key(), state().balance(), amount);
    v1::Deposited event;
    event.set_minor_units(amount);
    event.set_balance(state().balance() + amount);
    effects.emit(event);
    return view();
  }

  Result<v1::Account> Withdraw(const v1::WithdrawRequest& request,
                               Effects& effects) const override {
    const auto amount = request.amount().minor_units();
    TROUPE_CHECK(accepts(request.amount()));
    if (amount > state().balance())
      return refusals::insufficient_funds(key(), state().balance(), amount);
    v1::Withdrawn event;
    event.set_minor_units(amount);
    event.set_balance(state().balance() - amount);
    effects.emit(event);
    return view();
  }

  Result<v1::Account> Close(const v1::CloseRequest&, Effects& effects) const override {
    TROUPE_CHECK(is_open());
    if (state().balance() != 0) return refusals::balance_not_zero(key(), state().balance());
    effects.emit(v1::Closed{});
    return view();
  }

  Result<v1::Account> Get(const v1::GetRequest&) const override {
    TROUPE_CHECK(exists());
    return view();
  }

  Result<v1::StatementPage> Statement(const v1::StatementRequest& request) const override {
    TROUPE_CHECK(exists());
    TROUPE_TRY(query, StatementQuery::parse(request));
    return query.answer(history(query.order(), query.from(), query.size()), state().currency());
  }

  void apply(const v1::Opened& event) override {
    state().set_owner(event.owner());
    state().set_currency(event.currency());
    state().set_status(v1::Account::OPEN);
  }
  void apply(const v1::Deposited& event) override { state().set_balance(event.balance()); }
  void apply(const v1::Withdrawn& event) override { state().set_balance(event.balance()); }
  void apply(const v1::Closed&) override { state().set_status(v1::Account::CLOSED); }

  Result<void> exists() const {
    if (state().status() == v1::Account::STATUS_UNSPECIFIED) return refusals::not_open(key());
    return {};
  }
  Result<void> is_open() const {
    if (state().status() == v1::Account::CLOSED) return refusals::closed(key());
    return exists();
  }
  Result<void> accepts(const v1::Money& amount) const {
    if (amount.minor_units() <= 0) return refusals::amount_not_positive(amount.minor_units());
    TROUPE_CHECK(is_open());
    if (amount.currency() != state().currency())
      return refusals::currency_mismatch(key(), state().currency(), amount.currency());
    return {};
  }

  v1::Account view() const {
    v1::Account account;
    account.set_account(key());
    account.set_owner(state().owner());
    account.mutable_balance()->set_currency(state().currency());
    account.mutable_balance()->set_minor_units(state().balance());
    account.set_status(state().status());
    return account;
  }
};

TROUPE_SERVICE(Account);

}  // namespace
}  // namespace banking
