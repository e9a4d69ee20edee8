// Clients that count, and repeat what was not answered, while the node crashes and its disk fails.
#include "newcontext/v1/counters.troupe.hpp"
#include "simulations/rehearsal/model.hpp"
#include "simulations/rehearsal/rehearsal.hpp"

namespace newcontext {
namespace {

using namespace std::chrono_literals;
using namespace troupe::simulations;

// The simplest thing that behaves like a counter: what every reply of the node is compared with.
class CounterModel final : public EntityModel<CounterModel> {
 public:
  static void methods(Methods& on) {
    on("Add", &CounterModel::add);
    on("Get", &CounterModel::get);
  }
  std::string state() const override { return std::to_string(value_); }

 private:
  troupe::Result<v1::Counter> add(const v1::AddRequest& request) {
    if (value_ + request.amount() < 0) return refusal("BELOW_ZERO");
    value_ += request.amount();
    return view();
  }
  troupe::Result<v1::Counter> get(const v1::GetRequest&) { return view(); }
  v1::Counter view() const {
    v1::Counter counter;
    counter.set_counter(key());
    counter.set_value(value_);
    return counter;
  }

  std::int64_t value_ = 0;
};

v1::CountersRef one_of_six(Client& client) {
  return v1::CountersRef{"counter " + std::to_string(client.between(1, 6))};
}

Script counting(Client& client) {
  while (client.running()) {
    v1::AddRequest request;
    request.set_amount(static_cast<std::int32_t>(client.between(0, 150)) - 50);
    co_await client.call(one_of_six(client).Add(request));
    if (client.one_in(3)) co_await client.call(one_of_six(client).Get());
    co_await client.wait(client.between(0ms, 200ms));
  }
}

SIMULATION(newcontext, "what is counted stays counted, once") {
  sim.faults(Faults::everything());
  sim.duration(30s);
  sim.model<CounterModel>("newcontext.v1.Counters");
  sim.clients(8, counting);
  sim.always("no counter is below zero",
             [](const v1::Counter& counter) { return counter.value() >= 0; });
}

}  // namespace
}  // namespace newcontext
