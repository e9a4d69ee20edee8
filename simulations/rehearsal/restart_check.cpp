#include "simulations/rehearsal/restart_check.hpp"

#include <algorithm>

#include "actors/supervision.hpp"
#include "simulations/rehearsal/history.hpp"

namespace troupe::simulations {

// Above a service's supervisor stand its context's and the root, which have the defaults. One that
// allows n restarts ends at the next, so that the root ends after the product of n + 1. Failures
// that are under way in other shards then come on top.
RestartCheck::RestartCheck(const config::Manifest& manifest) {
  const actors::SupervisorSpec above;
  const auto of_above = std::uint64_t{above.intensity + 1} * (above.intensity + 1);
  window_ = above.period;
  const auto add = [&](const config::Service& service) {
    allowed_ = std::max(allowed_, of_above * (service.restart.intensity + 1) + service.shards);
    window_ = std::min(window_, service.restart.period);
  };
  add(manifest.service_defaults);
  for (const auto& [name, service] : manifest.services) add(service);
  std::uint64_t hosted = 0;
  for (const auto& node : manifest.nodes)
    hosted += node.services ? std::max<std::size_t>(1, node.services->size()) : 1;
  allowed_ *= hosted;
  window_ = window_ * 4 / 5;  // clocks drift, and an end is heard of a little later
}

std::optional<std::string> RestartCheck::look(Duration now, std::uint64_t lives,
                                              std::uint64_t failures) {
  if (lives != lives_) seen_.clear();
  lives_ = lives;
  seen_.push_back({now, failures});
  while (now - seen_.front().at > window_) seen_.pop_front();
  const auto in_window = failures - seen_.front().failures;
  if (in_window <= allowed_) return std::nullopt;
  return "within " + seconds_text(window_) + " shards failed " + std::to_string(in_window) +
         " times and no node has ended, although supervisors allow at most " +
         std::to_string(allowed_);
}

}  // namespace troupe::simulations
