#include "simulations/models/service_goes_on.hpp"

#include <algorithm>

namespace troupe::simulations {
namespace {

constexpr auto idle_for = std::chrono::seconds{1};

}  // namespace

void declare_service_goes_on(Rehearsal& sim, Duration longest) {
  sim.in_hindsight("service goes on", [longest](const Past& past) -> std::optional<Failure> {
    for (const auto& operation : past.history.all()) {
      const auto end = std::min(operation.returned, past.healed);
      if (end - operation.invoked <= longest) continue;
      return Failure{{},
                     operation.text() + " was not answered for " +
                         seconds_text(end - operation.invoked) +
                         ", last heard: " + operation.reason,
                     end};
    }
    return std::nullopt;
  });
}

std::optional<Failure> failed_request(const Past& past, Duration from, Duration until,
                                      Duration stopping, const std::string& what) {
  const auto is_about_the_node = [&](const Operation::Heard& heard) {
    return heard.reason == "CONNECTION_REFUSED" || heard.reason == "NODE_STOPPING" ||
           (heard.reason == "CONNECTION_LOST" && heard.at >= stopping + idle_for);
  };
  for (const auto& operation : past.history.all())
    for (const auto& heard : operation.heard)
      if (heard.at >= from && heard.at <= until && !is_about_the_node(heard))
        return Failure{{},
                       operation.text() + " heard " + heard.reason + " while " + what +
                           " and nothing else went wrong",
                       heard.at};
  return std::nullopt;
}

}  // namespace troupe::simulations
