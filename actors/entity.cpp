#include "actors/entity.hpp"

#include <google/protobuf/message.h>

#include <stdexcept>

namespace troupe::actors {

WallTime EffectsBase::now() const {
  return entity_.context().now();
}

void EffectsBase::record(std::string event) {
  entity_.keep_state();
  events_.push_back(std::move(event));
}

Entity::Entity() = default;
Entity::~Entity() = default;

const google::protobuf::Message& Entity::state_message() const {
  return const_cast<Entity*>(this)->state_message();  // NOLINT: the generated override only refers
}

HandlerContext& Entity::context() const {
  if (context_ == nullptr)
    throw std::logic_error(
        "now() and history() work inside a handler only: a constructor or apply() called one");
  return *context_;
}

void Entity::keep_state() {
  if (kept_) return;
  const auto& state = state_message();
  kept_.reset(state.New());
  kept_->CopyFrom(state);
}

bool Entity::restore_state() {
  if (!kept_) return false;
  state_message().CopyFrom(*kept_);
  kept_.reset();
  return true;
}

void Entity::drop_kept_state() {
  kept_.reset();
}

}  // namespace troupe::actors
