#include "tests/actors/shard/counter.hpp"

namespace troupe::actors::testing {

const ServiceType& counter_type() {
  static const ServiceType type = [] {
    ServiceType made;
    made.name = "test.v1.Counters";
    made.context = "test";
    for (const auto& [name, read_only] :
         std::initializer_list<std::pair<const char*, bool>>{{"Add", false},
                                                             {"Get", true},
                                                             {"Reset", false},
                                                             {"Fail", false},
                                                             {"Explode", false},
                                                             {"HistorySize", true},
                                                             {"ReadNow", true},
                                                             {"AddNow", false},
                                                             {"ReadCaller", true}}) {
      MethodType method;
      method.name = name;
      method.read_only = read_only;
      made.methods.push_back(method);
    }
    return made;
  }();
  return type;
}

Entity::Outcome Counter::execute(std::size_t method, std::string_view request) {
  const std::int64_t amount = request.empty() ? 0 : std::stoll(std::string{request});
  Effects effects{*this};
  if (while_running) while_running();
  switch (method) {
    case add:
      effects.emit(amount);
      return {std::to_string(state_.value()), effects.take_events(), false};
    case get:
      return {std::to_string(state_.value()), {}, false};
    case reset:
      effects.erase();
      return {std::string{"0"}, {}, true};
    case fail:
      effects.emit(amount);
      return {troupe::failed_precondition("REFUSED", "as asked"), {}, false};
    case explode:
      effects.emit(amount);
      throw std::runtime_error("as asked");
    case add_now:
      effects.emit(amount);
      [[fallthrough]];
    case read_now:
      return {std::to_string(effects.now().time_since_epoch().count()), effects.take_events(),
              false};
    case read_caller: {
      const OnBehalfOf& who = on_behalf_of();
      return {who.principal + "/" + who.tenant + "/" + who.data_subject, {}, false};
    }
    default: {
      std::size_t events = 0;
      std::uint64_t from = 0;
      for (;;) {
        const auto page = context().history(HistoryOrder::oldest_first, from, 1000);
        events += page.size();
        if (page.size() < 1000) break;
        from = page.back().sequence + 1;
      }
      return {std::to_string(events), {}, false};
    }
  }
}

Service counter_service() {
  return Service{&counter_type(), [] { return std::make_unique<Counter>(); }};
}

}  // namespace troupe::actors::testing
