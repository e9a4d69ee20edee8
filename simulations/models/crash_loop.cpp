#include "simulations/models/crash_loop.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace troupe::simulations {

using namespace std::chrono_literals;

void declare_crash_loop(Rehearsal& sim, const ClusterShape& shape, RandomStream random,
                        Duration from, Duration to) {
  using K = FaultKind;
  auto others = node_names(shape);
  const auto chosen = static_cast<std::ptrdiff_t>(random.between(0, others.size() - 1));
  const std::string looping = others[static_cast<std::size_t>(chosen)];
  others.erase(others.begin() + chosen);
  const auto half = others.size() / 2;
  const std::vector<std::string> late{others.begin(),
                                      others.begin() + static_cast<std::ptrdiff_t>(half)};
  const std::vector<std::string> prompt{others.begin() + static_cast<std::ptrdiff_t>(half),
                                        others.end()};
  for (const auto& one : late) {
    for (const auto& other : prompt)
      sim.incident(
          {.kind = K::partition, .at = from, .lasts = to - from, .node = one, .peer = other});
    const auto amount = static_cast<std::int64_t>(random.between(15'000, 120'000));
    for (const auto& [node, peer] : {std::pair{one, looping}, std::pair{looping, one}})
      sim.incident({.kind = K::slow_link,
                    .at = from,
                    .lasts = to - from,
                    .node = node,
                    .peer = peer,
                    .amount = amount});
  }
  for (Duration at = from; at < to; at += random.between(120, 800) * 1ms) {
    const bool power = random.between(0, 2) == 0;
    sim.incident({.kind = power ? K::power_cut : K::kill,
                  .at = at,
                  .lasts = random.between(5, 40) * 1ms,
                  .node = looping});
  }
}

}  // namespace troupe::simulations
