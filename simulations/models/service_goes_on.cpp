#include "simulations/models/service_goes_on.hpp"

#include <algorithm>

namespace troupe::simulations {
namespace {

constexpr auto idle_for = std::chrono::seconds{1};

std::optional<Failure> failed_request(const Past& past, const Unnoticed& time) {
  const auto is_about_the_node = [&](const Operation::Heard& heard) {
    return heard.reason == "CONNECTION_REFUSED" || heard.reason == "NODE_STOPPING" ||
           (heard.reason == "CONNECTION_LOST" && heard.at >= time.stopping + idle_for);
  };
  for (const auto& operation : past.history.all())
    for (const auto& heard : operation.heard)
      if (heard.at >= time.from && heard.at <= time.until && !is_about_the_node(heard))
        return Failure{{},
                       operation.text() + " heard " + heard.reason + " while " + time.what +
                           " and nothing else went wrong",
                       heard.at};
  return std::nullopt;
}

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

std::string limits_for_calm(bool calm) {
  return calm ? "\n[service_defaults.limits]\nwaiting_commands = 1000\n\n[gateway]\n"
                "request_timeout = \"10s\"\n"
              : "";
}

void declare_unnoticed(Rehearsal& sim, bool calm, const std::string& name,
                       std::function<Unnoticed(const Past&)> when) {
  if (!calm) return;
  sim.in_hindsight(name, [when = std::move(when)](const Past& past) {
    return past.took_place.empty() ? failed_request(past, when(past)) : std::nullopt;
  });
}

}  // namespace troupe::simulations
