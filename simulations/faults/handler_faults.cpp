#include "simulations/faults/handler_faults.hpp"

#include <stdexcept>
#include <utility>

#include "actors/entity.hpp"

namespace troupe::simulations {

namespace {

using Fate = HandlerFaults::Fate;

// Stands before the author's entity, whose state is brought back here; except after a throw that is
// injected behind the handler: then the shard has to do it with what it knows, this object.
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
    if (fate == Fate::throws_after) keep_state();
    const Attempt attempt{*inner_, context()};
    auto outcome = inner_->execute(method, request);
    if (outcome.reply || fate == Fate::throws_after) inner_->drop_kept_state();
    if (fate == Fate::throws_after) throw std::runtime_error{"injected after the handler ran"};
    return outcome;
  }

 private:
  // Takes back what was not declared a success, whatever was thrown.
  class Attempt {
   public:
    Attempt(actors::Entity& entity, actors::HandlerContext& context) : entity_(entity) {
      entity_.enter(&context);
    }
    ~Attempt() {
      entity_.enter(nullptr);
      entity_.restore_state();
    }
    Attempt(const Attempt&) = delete;
    Attempt& operator=(const Attempt&) = delete;

   private:
    actors::Entity& entity_;
  };

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
