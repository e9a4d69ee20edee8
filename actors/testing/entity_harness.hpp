// Runs one entity in memory as its shard would, for tests of an author's class: without disk,
// threads or a cluster. Calls are made by the generated reference, so they pass through
// serialisation, the key lookup and the dispatch as in production.
//
//   EntityHarness account{"banking.v1.Accounts", "alice"};
//   const auto reply = account.call(AccountsRef{"alice"}.Deposit(request));
//
// Beyond running, it insists on what every entity owes its shard, and throws std::logic_error if it
// is not kept: a failed command leaves state and history as they were, a read changes nothing, and
// without an event there is no change.
#pragma once

#include <google/protobuf/message.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "actors/client.hpp"
#include "actors/encoding.hpp"
#include "actors/entity.hpp"
#include "actors/service.hpp"

namespace troupe::testing {

class EntityHarness final : public actors::HandlerContext {
 public:
  // A service that TROUPE_SERVICE registered.
  EntityHarness(std::string_view service, std::string key)
      : EntityHarness(registered(service), std::move(key)) {}

  EntityHarness(const actors::Service& service, std::string key)
      : service_(service), key_(std::move(key)) {
    make();
  }

  template <class Response>
  Result<Response> call(const actors::Call<Response>& call) {
    auto reply = send(call);
    if (!reply) return std::move(reply).error();
    Response response;
    insist(actors::decode(*reply, response), "the reply parses as the message of its contract");
    return response;
  }

  // Drops the entity from memory and brings it back from its stored state, as passivation does.
  void reload() {
    const auto stored = state();
    make();
    insist(actors::decode(stored, entity_->state_message()), "the state parses");
  }

  const std::vector<actors::RawEvent>& events() const { return events_; }
  std::string state() const { return actors::encode_deterministic(entity_->state_message()); }
  actors::Entity& entity() { return *entity_; }

  void advance(std::chrono::milliseconds by) { now_ += by; }

  actors::OnBehalfOf caller;  // of the calls that follow

  // --- HandlerContext ---------------------------------------------------------------------------
  WallTime now() const override { return now_; }
  const actors::OnBehalfOf& on_behalf_of() const override { return caller; }

  std::vector<actors::RawEvent> history(actors::HistoryOrder order, std::uint64_t from,
                                        std::size_t limit) override {
    std::vector<actors::RawEvent> page;
    if (order == actors::HistoryOrder::oldest_first) {
      for (auto at = from == 0 ? 1 : from; at <= events_.size() && page.size() < limit; ++at)
        page.push_back(events_[at - 1]);
    } else {
      auto at = from == 0 || from > events_.size() ? events_.size() : from;
      for (; at >= 1 && page.size() < limit; --at) page.push_back(events_[at - 1]);
    }
    return page;
  }

 private:
  static const actors::Service& registered(std::string_view name) {
    const auto* service = actors::ServiceRegistry::global().find(name);
    insist(service != nullptr, "the service is registered: " + std::string{name});
    return *service;
  }

  static void insist(bool kept, const std::string& promise) {
    if (!kept) throw std::logic_error("an entity's promise is broken: " + promise);
  }

  void make() {
    entity_ = service_.make_entity();
    entity_->bind(key_);
  }

  Result<std::string> send(const actors::CallBase& call) {
    insist(call.service == service_.type, "the call is for this service");
    const auto& method = service_.type->methods.at(call.method);
    const auto key = method.key_of(call.payload);
    insist(key && *key == key_, "the request names this entity");

    const auto before = state();
    entity_->enter(this);
    actors::Entity::Outcome outcome;
    try {
      outcome = entity_->execute(call.method, call.payload);
    } catch (...) {
      fail(before);
      throw;
    }
    entity_->enter(nullptr);
    if (!outcome.reply) {
      insist(outcome.events.empty() && !outcome.erased, "an error comes without effects");
      fail(before);
      return outcome.reply;
    }
    entity_->drop_kept_state();
    if (method.read_only)
      insist(outcome.events.empty() && !outcome.erased && state() == before,
             "a read changes nothing");
    if (outcome.events.empty() && !outcome.erased)
      insist(state() == before, "state changes by events only");
    for (auto& event : outcome.events)
      events_.push_back({events_.size() + 1, now_, std::move(event)});
    if (outcome.erased) {
      events_.clear();
      make();
    }
    return outcome.reply;
  }

  void fail(const std::string& before) {
    entity_->enter(nullptr);
    entity_->restore_state();
    insist(state() == before, "a failed command has changed nothing");
  }

  const actors::Service& service_;
  std::string key_;
  std::unique_ptr<actors::Entity> entity_;
  std::vector<actors::RawEvent> events_;
  WallTime now_{std::chrono::milliseconds{1'700'000'000'000}};
};

}  // namespace troupe::testing
