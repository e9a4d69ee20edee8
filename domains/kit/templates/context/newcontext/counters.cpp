// What a counter does.
#include "newcontext/v1/counters.troupe.hpp"

namespace newcontext {
namespace {

class Counter final : public v1::CountersEntity {
  Result<v1::Counter> Add(const v1::AddRequest& request, Effects& effects) const override {
    if (state().value() + request.amount() < 0)
      return troupe::failed_precondition(
          "BELOW_ZERO", "it is at " + std::to_string(state().value()) + "; take away at most that");
    v1::Added event;
    event.set_amount(request.amount());
    effects.emit(event);  // apply() runs at once; it is stored before the caller gets the reply
    return view();
  }

  Result<v1::Counter> Get(const v1::GetRequest&) const override { return view(); }

  void apply(const v1::Added& event) override {
    state().set_value(state().value() + event.amount());
  }

  v1::Counter view() const {
    v1::Counter counter;
    counter.set_counter(key());
    counter.set_value(state().value());
    return counter;
  }
};

TROUPE_SERVICE(Counter);

}  // namespace
}  // namespace newcontext
