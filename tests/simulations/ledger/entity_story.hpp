// What clients did to one entity, one thing after another, and whether its model explains it.
#pragma once

#include <string>
#include <vector>

#include "simulations/rehearsal/linearize.hpp"
#include "simulations/rehearsal/model.hpp"

namespace troupe::simulations {

// `Entity` is the generated base of the service.
template <class Entity, class TheModel>
class EntityStory {
 public:
  explicit EntityStory(std::string key) : key_(std::move(key)) {}

  template <class Request>
  Operation& did(const char* method, const Request& request, Operation::Outcome outcome) {
    auto& operation = history_.begin(
        Entity::service_type(), static_cast<std::uint32_t>(Entity::service_type().find(method)));
    operation.key = key_;
    operation.request = request.SerializeAsString();
    operation.invoked = Duration{std::chrono::milliseconds{++time_}};
    operation.returned = Duration{std::chrono::milliseconds{++time_}};
    operation.outcome = outcome;
    if (outcome == Operation::Outcome::unknown) operation.returned = Duration::max();
    return operation;
  }
  template <class Request, class Reply>
  void answered(const char* method, const Request& request, const Reply& reply) {
    did(method, request, Operation::Outcome::success).reply = actors::encode_deterministic(reply);
  }
  template <class Request>
  void refused(const char* method, const Request& request, const char* reason) {
    did(method, request, Operation::Outcome::refused).reason = reason;
  }

  bool holds() const {
    std::vector<const Operation*> all;
    for (const auto& operation : history_.all()) all.push_back(&operation);
    const LinearizeOptions options{.trust_positions = false};
    return linearize(all, TheModel::maker(), key_, options).verdict ==
           Linearization::Verdict::explained;
  }

 private:
  std::string key_;
  History history_;
  int time_ = 0;
};

}  // namespace troupe::simulations
