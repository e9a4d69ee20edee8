#include "tests/simulations/rehearsal/broken_accounts.hpp"

#include <map>
#include <memory>

#include "actors/entity.hpp"
#include "banking/v1/accounts.pb.h"

namespace troupe::simulations::testing {
namespace {

class Broken final : public actors::Entity {
 public:
  Broken(std::unique_ptr<actors::Entity> inner, Wrong wrong)
      : inner_(std::move(inner)), wrong_(wrong) {}

  const actors::ServiceType& type() const override { return inner_->type(); }
  google::protobuf::Message& state_message() override { return inner_->state_message(); }

  Outcome execute(std::size_t method, std::string_view request) override {
    inner_->bind(key());
    inner_->enter(&context());
    auto outcome = run(method, request);
    inner_->enter(nullptr);
    inner_->restore_state();
    return outcome;
  }

 private:
  Outcome run(std::size_t method, std::string_view request) {
    const bool read = type().methods[method].read_only;
    const auto calls = ++calls_;
    if (wrong_ == Wrong::stall && calls > 40) return {unavailable("NOT_NOW", "stalled"), {}, false};
    if (read && wrong_ == Wrong::stale_read && first_reads_.contains(method))
      return {first_reads_[method], {}, false};
    auto outcome = inner_->execute(method, request);
    if (!outcome.reply) return outcome;
    if (read) first_reads_.try_emplace(method, *outcome.reply);
    const bool now = calls % 20 == 0 && !read;
    if (now && wrong_ == Wrong::impossible_refusal)
      return {failed_precondition("INSUFFICIENT_FUNDS", "for no reason"), {}, false};
    if (now && wrong_ == Wrong::lost_write) return {outcome.reply, {}, false};
    inner_->drop_kept_state();
    if (now && wrong_ == Wrong::doubled_write) {
      auto again = inner_->execute(method, request);
      if (again.reply) inner_->drop_kept_state();
      for (auto& event : again.events) outcome.events.push_back(std::move(event));
    }
    if (wrong_ == Wrong::negative_balance && type().methods[method].name == "Get") {
      banking::v1::Account account;
      account.ParseFromString(*outcome.reply);
      account.mutable_balance()->set_minor_units(-account.balance().minor_units());
      outcome.reply = account.SerializeAsString();
    }
    return outcome;
  }

  std::unique_ptr<actors::Entity> inner_;
  const Wrong wrong_;
  int calls_ = 0;
  std::map<std::size_t, std::string> first_reads_;
};

}  // namespace

actors::ServiceRegistry broken_accounts(Wrong wrong) {
  actors::ServiceRegistry services;
  const auto* accounts = actors::ServiceRegistry::global().find("banking.v1.Accounts");
  services.add({accounts->type, [make = accounts->make_entity, wrong] {
                  return std::make_unique<Broken>(make(), wrong);
                }});
  return services;
}

}  // namespace troupe::simulations::testing
