// The guide's example, word for word: what it shows has to compile.
#include <doctest/doctest.h>

#include "banking/v1/accounts.troupe.hpp"  // written by protoc-gen-troupe

namespace banking {
namespace {

class Account final : public v1::AccountsEntity {
  // Handlers are const: they read state and return a reply; what changes goes through effects.
  Result<v1::Account> Deposit(const v1::DepositRequest& request, Effects& effects) const override {
    if (request.cents() <= 0) return invalid_argument("cents must be positive");
    v1::Deposited event;
    event.set_cents(request.cents());
    effects.emit(event);  // apply() runs at once in memory, stored when the batch commits
    return view();        // a reply may be a function of the state after the effects
  }

  Result<v1::Account> Get(const v1::GetRequest&) const override { return view(); }

  void apply(const v1::Deposited& event) override {
    state().set_balance(state().balance() + event.cents());
  }

  v1::Account view() const {
    v1::Account account;
    account.set_account(key());
    account.set_cents(state().balance());
    return account;
  }
};

TROUPE_SERVICE(Account);

}  // namespace
}  // namespace banking

TEST_CASE("the guide's entity is registered under its contract's name") {
  CHECK(troupe::actors::ServiceRegistry::global().find("banking.v1.Accounts"));
}
