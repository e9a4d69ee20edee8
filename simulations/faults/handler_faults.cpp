#include "simulations/faults/handler_faults.hpp"

#include <google/protobuf/message.h>

#include <memory>
#include <stdexcept>
#include <utility>

#include "actors/entity.hpp"

namespace troupe::simulations {

namespace {

using Fate = HandlerFaults::Fate;

// Stands before the author's entity. What has to be taken back is left to the shard, as if there
// were nothing in between: it knows this object alone, so that the state to go back to moves here.
class Decorated final : public actors::Entity {
 public:
  Decorated(std::unique_ptr<actors::Entity> inner, HandlerFaults& faults)
      : inner_(std::move(inner)), faults_(faults) {}

  const actors::ServiceType& type() const override { return inner_->type(); }
  google::protobuf::Message& state_message() override { return inner_->state_message(); }

  Outcome execute(std::size_t method, std::string_view request) override {
    const auto fate = faults_.draw(type().name);
    if (fate == Fate::throws_before) throw std::runtime_error{"injected before the handler ran"};
    if (!std::exchange(bound_, true)) inner_->bind(key());
    Attempt attempt{*this};
    auto outcome = inner_->execute(method, request);
    if (fate == Fate::throws_after) throw std::runtime_error{"injected after the handler ran"};
    attempt.succeeded = outcome.reply.has_value();
    return outcome;
  }

 private:
  class Attempt {
   public:
    explicit Attempt(Decorated& outer) : outer_(outer) { outer.inner_->enter(&outer.context()); }
    ~Attempt() {
      outer_.inner_->enter(nullptr);
      if (succeeded) {
        outer_.inner_->drop_kept_state();
      } else {
        outer_.take_over_kept_state();
      }
    }
    Attempt(const Attempt&) = delete;
    Attempt& operator=(const Attempt&) = delete;

    bool succeeded = false;

   private:
    Decorated& outer_;
  };

  void take_over_kept_state() {
    auto& state = state_message();
    const std::unique_ptr<google::protobuf::Message> reached{state.New()};
    reached->CopyFrom(state);
    if (!inner_->restore_state()) return;
    keep_state();
    state.CopyFrom(*reached);
  }

  std::unique_ptr<actors::Entity> inner_;
  HandlerFaults& faults_;
  bool bound_ = false;
};

}  // namespace

void HandlerFaults::set(const std::string& service, std::uint32_t millionths) {
  chances_[service] = millionths;
}

void HandlerFaults::set_making(const std::string& service, std::uint32_t millionths) {
  making_[service] = millionths;
}

Fate HandlerFaults::draw(std::string_view service) {
  const auto found = chances_.find(service);
  if (found == chances_.end() || found->second == 0 || !random_.chance(found->second))
    return Fate::runs;
  ++thrown_;
  return random_.between(0, 1) == 0 ? Fate::throws_before : Fate::throws_after;
}

bool HandlerFaults::draw_making(std::string_view service) {
  const auto found = making_.find(service);
  if (found == making_.end() || found->second == 0 || !random_making_.chance(found->second))
    return true;
  ++not_made_;
  return false;
}

actors::ServiceRegistry with_handler_faults(const actors::ServiceRegistry& services,
                                            HandlerFaults& faults) {
  actors::ServiceRegistry result;
  for (const auto& service : services.all()) {
    result.add({service.type, [type = service.type, make = service.make_entity, &faults] {
                  if (!faults.draw_making(type->name))
                    throw std::runtime_error{"injected: the entity cannot be made"};
                  return std::make_unique<Decorated>(make(), faults);
                }});
  }
  return result;
}

}  // namespace troupe::simulations
