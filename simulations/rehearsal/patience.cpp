#include "simulations/rehearsal/patience.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

namespace troupe::simulations {

using namespace std::chrono_literals;

// A request waits in the node that was asked and in the one that leads.
Duration lingering(const config::Manifest& manifest, const FaultPlan& plan) {
  std::map<std::string, Duration> waiting;
  Duration on_the_way{0};
  Duration clock{0};
  for (const auto& fault : plan) {
    switch (fault.kind) {
      case FaultKind::pause:
      case FaultKind::slow_disk:  // several jobs may stand before it
        waiting[fault.node] += fault.lasts;
        break;
      case FaultKind::clogged_link:
      case FaultKind::partition:
      case FaultKind::slow_link:
      case FaultKind::lossy_link:
        on_the_way = std::max(on_the_way, fault.lasts);
        break;
      case FaultKind::clock_offset:
        clock = std::max<Duration>(clock, std::chrono::microseconds{std::abs(fault.amount)});
        break;
      default:
        break;
    }
  }
  std::vector<Duration> longest{0s, 0s};
  for (const auto& [node, time] : waiting) longest.push_back(time);
  std::ranges::sort(longest, std::greater{});
  return manifest.gateway.request_timeout + 1s + longest[0] + longest[1] + 2 * on_the_way +
         2 * clock;
}

Duration retry_max(const config::Manifest& manifest, Duration lingers) {
  auto window = manifest.service_defaults.idempotency_window;
  for (const auto& [name, service] : manifest.services)
    window = std::min(window, service.idempotency_window);
  return std::max<Duration>(window - lingers, 0s);
}

}  // namespace troupe::simulations
