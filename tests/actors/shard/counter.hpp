// A hand-made entity for the shard's tests: a counter with a history, and handlers that misbehave
// on request. The same shape as generated code, without the generator.
#pragma once

#include <google/protobuf/wrappers.pb.h>

#include <functional>
#include <stdexcept>

#include "actors/entity.hpp"

namespace troupe::actors::testing {

// Methods, by index.
enum CounterMethod : std::uint32_t {
  add,
  get,
  reset,
  fail,
  explode,
  history_size,
  read_now,
  add_now,
  read_caller  // replies principal/tenant/data subject
};

const ServiceType& counter_type();

class Counter final : public Entity {
 public:
  const ServiceType& type() const override { return counter_type(); }
  google::protobuf::Message& state_message() override { return state_; }
  std::uint64_t history_max() const override { return key() == "forgetful" ? 3 : 0; }

  // Called by each handler while it runs, if it is set.
  static inline std::function<void()> while_running;

  // `request` is a number in decimal, the reply too; of read_now and add_now it is shard time.
  Outcome execute(std::size_t method, std::string_view request) override;

 private:
  struct Effects : EffectsBase {
    using EffectsBase::EffectsBase;
    void emit(std::int64_t amount) {
      record(std::to_string(amount));
      static_cast<Counter&>(entity_).state_.set_value(
          static_cast<Counter&>(entity_).state_.value() + amount);
    }
  };
  google::protobuf::Int64Value state_;
};

Service counter_service();

}  // namespace troupe::actors::testing
