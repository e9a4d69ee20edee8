// One node of three has a slow disk or slow links for most of the run, and is away for a while in
// the midst of it. It leads nothing then: it stood still before, long enough that others took over.
// Commands go on at the speed of the other two, and in the end it has caught up, by entries or by a
// file.
#include <algorithm>
#include <vector>

#include "simulations/models/cluster_manifest.hpp"
#include "simulations/models/ledger_clients.hpp"

namespace troupe::simulations {
namespace {

using namespace std::chrono_literals;

// What half of the commands take at most. The node's jobs take a second, its segments up to a
// tenth.
constexpr Duration usual = 50ms;

struct SlowSpan {
  Duration begin, end;
};

std::optional<Failure> majority_sets_the_pace(const SlowSpan& slow, const Past& past) {
  const bool happened = std::ranges::any_of(past.took_place, [&](const Fault& fault) {
    return fault.kind == FaultKind::pause && fault.at + fault.lasts <= slow.begin;
  });
  if (!happened) return std::nullopt;
  std::vector<Duration> times;
  for (const auto& operation : past.history.all()) {
    if (operation.read_only() || operation.invoked < slow.begin || operation.invoked > slow.end)
      continue;
    times.push_back(std::min(operation.returned, past.healed) - operation.invoked);
  }
  if (times.size() < 100)
    return Failure{{},
                   "only " + std::to_string(times.size()) + " commands were begun between " +
                       seconds_text(slow.begin) + " and " + seconds_text(slow.end),
                   slow.end};
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::ranges::nth_element(times, middle);
  if (*middle <= usual) return std::nullopt;
  return Failure{{},
                 "half of " + std::to_string(times.size()) + " commands took longer than " +
                     seconds_text(*middle) + ", although only one node of three was slow",
                 slow.end};
}

SIMULATION(slow_follower, "commands go on at the majority's speed, and a slow node catches up") {
  using K = FaultKind;
  auto random = sim.random(1);
  const auto nodes = node_names({});
  const auto& slow = nodes[random.between(0, 2)];
  const Duration begin = 4s;
  const Duration lasts = 16s;
  sim.incident({.kind = K::pause, .at = 2s, .lasts = 1900ms, .node = slow});
  const auto what = random.between(1, 3);
  if ((what & 1U) != 0)
    sim.incident({.kind = K::slow_disk,
                  .at = begin - 100ms,
                  .lasts = lasts,
                  .node = slow,
                  .amount = static_cast<std::int64_t>(random.between(100'000, 1'000'000))});
  if ((what & 2U) != 0) {
    for (const auto& other : nodes) {
      if (other == slow) continue;
      const auto amount = static_cast<std::int64_t>(random.between(20'000, 100'000));
      for (const auto& [from, to] : {std::pair{slow, other}, std::pair{other, slow}})
        sim.incident({.kind = K::slow_link,
                      .at = begin - 100ms,
                      .lasts = lasts,
                      .node = from,
                      .peer = to,
                      .amount = amount});
    }
  }
  if (random.between(0, 3) > 0)
    sim.incident({.kind = K::kill,
                  .at = begin + random.between(1'000, 6'000) * 1ms,
                  .lasts = random.between(500, 9'000) * 1ms,
                  .node = slow});
  sim.faults(Faults::everything().only({K::clock_offset, K::clock_drift}));
  sim.duration(begin + lasts + 4s);
  sim.manifest(cluster_manifest({}, sim.random()));
  declare_ledger(sim);
  const SlowSpan span{begin + 1s, begin + lasts - 1s};
  sim.in_hindsight("the majority sets the pace",
                   [span](const Past& past) { return majority_sets_the_pace(span, past); });
}

}  // namespace
}  // namespace troupe::simulations
