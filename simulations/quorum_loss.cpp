// For some seconds a majority of the nodes is gone: killed, without power, standing still, or cut
// off from each other. Meanwhile nothing is acknowledged, and who asks a node that runs hears in
// time that it cannot be done. When the majority is back, service is, and with it everything that
// was acknowledged before.
#include <algorithm>

#include "simulations/models/cluster_manifest.hpp"
#include "simulations/models/ledger_clients.hpp"

namespace troupe::simulations {
namespace {

using namespace std::chrono_literals;

// What an answer may take beyond the time of the call, and a client between two attempts.
constexpr Duration on_the_way = 1s;
constexpr Duration between_attempts = 600ms;
// From the majority's return to the first acknowledged command: elections, and reading the logs.
constexpr Duration resumed = 10s;

struct QuorumLoss {
  FaultKind kind;
  Duration begin, end;
  Duration request_timeout;
  std::size_t faults;  // that make it

  // Whether it took place as planned.
  bool happened(const Past& past) const {
    const auto count = std::ranges::count_if(past.took_place, [this](const Fault& fault) {
      return fault.kind == kind && fault.at == begin;
    });
    return static_cast<std::size_t>(count) == faults;
  }
  // Both are within it. What was under way when it began may still be answered.
  bool holds(Duration from, Duration to) const { return begin + 1s <= from && to < end; }
};

std::optional<Failure> nothing_is_acknowledged(const QuorumLoss& loss, const Past& past) {
  if (!loss.happened(past)) return std::nullopt;
  for (const auto& operation : past.history.all()) {
    const bool done = operation.outcome == Operation::Outcome::success;
    if (done && loss.holds(operation.invoked, operation.returned))
      return Failure{
          {}, operation.text() + " succeeded while a majority was gone", operation.returned};
  }
  return std::nullopt;
}

std::optional<Failure> refusals_come_in_time(const QuorumLoss& loss, const Past& past) {
  if (!loss.happened(past)) return std::nullopt;
  const auto most = loss.request_timeout + on_the_way + between_attempts;
  const auto late = [&](Duration asked, Duration at, const std::string& reason) {
    // The time of the call was over before the loss was.
    if (asked < loss.begin + 1s || asked + most >= loss.end || at - asked <= most) return false;
    // Nobody answers for a node that stands still; the connection may end meanwhile.
    const bool no_answer = reason == "DEADLINE_EXCEEDED" || reason == "CONNECTION_LOST";
    return !(loss.kind == FaultKind::pause && (no_answer || at >= loss.end));
  };
  const auto failure = [&](const Operation& operation, Duration asked, Duration at,
                           const std::string& reason) {
    return Failure{{},
                   operation.text() + " heard " + reason + " only at " + seconds_text(at) +
                       ", although a call may take " + seconds_text(loss.request_timeout) +
                       " and was sent after " + seconds_text(asked),
                   at};
  };
  for (const auto& operation : past.history.all()) {
    auto since = operation.invoked;
    for (const auto& heard : operation.heard) {
      const auto asked = std::exchange(since, heard.at);
      if (late(asked, heard.at, heard.reason))
        return failure(operation, asked, heard.at, heard.reason);
    }
    if (operation.returned != Duration::max() && late(since, operation.returned, operation.reason))
      return failure(operation, since, operation.returned, operation.reason);
  }
  return std::nullopt;
}

std::optional<Failure> service_resumes(const QuorumLoss& loss, const Past& past) {
  if (!loss.happened(past)) return std::nullopt;
  const auto& all = past.history.all();
  const bool found = std::ranges::any_of(all, [&](const Operation& operation) {
    return operation.outcome == Operation::Outcome::success && !operation.read_only() &&
           operation.returned > loss.end && operation.returned < loss.end + resumed;
  });
  if (found) return std::nullopt;
  return Failure{{},
                 "the majority was back at " + seconds_text(loss.end) +
                     ", and no command was acknowledged for " + seconds_text(resumed),
                 loss.end + resumed};
}

SIMULATION(quorum_loss, "without a majority nothing is acknowledged, and callers hear so in time") {
  using K = FaultKind;
  auto random = sim.random(1);
  const auto shape = draw_cluster_shape(sim.random(2));
  const auto nodes = node_names(shape);
  constexpr K kinds[] = {K::kill, K::power_cut, K::pause, K::partition};
  QuorumLoss loss{kinds[random.between(0, 3)], random.between(3'000, 8'000) * 1ms, 0s,
                  random.between(500, 4'000) * 1ms, 0};
  const Duration lasts = random.between(4'000, 12'000) * 1ms;
  loss.end = loss.begin + lasts;
  const auto add = [&](const std::string& node, const std::string& peer) {
    sim.incident({.kind = loss.kind, .at = loss.begin, .lasts = lasts, .node = node, .peer = peer});
    ++loss.faults;
  };
  if (loss.kind == K::partition) {
    for (std::size_t i = 0; i < nodes.size(); ++i)
      for (std::size_t j = 0; j < i; ++j) add(nodes[i], nodes[j]);
  } else {
    // So many that no shard keeps a majority, wherever its replicas are.
    const auto first = random.between(0, nodes.size() - 1);
    const auto gone = nodes.size() - (shape.replicas - 1) / 2;
    for (std::size_t i = 0; i < gone; ++i) add(nodes[(first + i) % nodes.size()], {});
  }
  sim.faults(Faults::everything().only(
      {K::slow_disk, K::slow_link, K::reset_link, K::clock_offset, K::clock_drift}));
  sim.duration(loss.end + resumed + 1s);
  sim.manifest(cluster_manifest(shape, sim.random()) + "\n[gateway]\nrequest_timeout = \"" +
               std::to_string(loss.request_timeout / 1ms) + "ms\"\n");
  declare_ledger(sim);
  sim.in_hindsight("nothing is acknowledged without a majority",
                   [loss](const Past& past) { return nothing_is_acknowledged(loss, past); });
  sim.in_hindsight("callers hear in time that there is no majority",
                   [loss](const Past& past) { return refusals_come_in_time(loss, past); });
  sim.in_hindsight("service resumes with the majority",
                   [loss](const Past& past) { return service_resumes(loss, past); });
}

}  // namespace
}  // namespace troupe::simulations
