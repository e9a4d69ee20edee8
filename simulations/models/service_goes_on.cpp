#include "simulations/models/service_goes_on.hpp"

#include <algorithm>

namespace troupe::simulations {

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

}  // namespace troupe::simulations
