#include "cluster/directory/advice.hpp"

#include <algorithm>
#include <cmath>

namespace troupe::cluster {
namespace {

std::uint32_t whole(double value) {
  // What rounding left over is no reason for another node.
  return static_cast<std::uint32_t>(std::ceil(std::max(0.0, value - 1e-6)));
}

}  // namespace

void Advisor::Peak::add(WallTime at, double value, Duration hold) {
  while (!values_.empty() && values_.back().second <= value) values_.pop_back();
  values_.emplace_back(at, value);
  while (at - values_.front().first > hold) values_.pop_front();
}

void Advisor::observe(const LoadReport& report) {
  std::erase_if(services_, [&](const auto& one) { return !report.services.contains(one.first); });
  std::erase_if(advice_.services,
                [&](const auto& one) { return !report.services.contains(one.first); });
  double cores = 0;
  for (const auto& [name, load] : report.services) {
    cores += load.cores;
    services_[name].cores.add(report.at, load.cores, options_.hold);
  }
  cores_.add(report.at, cores, options_.hold);
  advise_nodes(report);
  for (const auto& [name, load] : report.services)
    advise(report, load, services_[name].cores.value(), advice_.services[name]);
  charge(report);
  last_ = report.at;
  began_ = true;
}

// Nodes for so many busy cores.
Advisor::Need Advisor::need(const LoadReport& report, double cores, std::uint32_t replicas) const {
  Need most{options_.nodes_min, "the least that is allowed"};
  const auto ask = [&](double nodes, const char* reason) {
    if (whole(nodes) > most.nodes) most = {whole(nodes), reason};
  };
  const double after_loss = cores / (options_.utilisation_after_loss * report.cores_per_node);
  ask(replicas, "a node for each replica of a shard");
  ask(cores / (options_.utilisation * report.cores_per_node), "utilisation");
  if (options_.failures > 0) ask(std::ceil(after_loss) + 1, "utilisation after the loss of a node");
  if (options_.failures > 0 && report.zones > 1)
    ask(after_loss * report.zones / (report.zones - 1), "utilisation after the loss of a zone");
  return most;
}

void Advisor::advise_nodes(const LoadReport& report) {
  std::uint32_t replicas = 2 * options_.failures + 1;
  for (const auto& [name, load] : report.services) replicas = std::max(replicas, load.factor);
  const double peak = cores_.value();
  const Need least = need(report, peak, replicas);
  const Need more = need(report, peak * (1 + options_.margin), replicas);
  // Between the two the advice stays.
  if (advice_.nodes >= least.nodes && advice_.nodes <= more.nodes) return;
  advice_.nodes = more.nodes;
  advice_.reason = more.reason;
}

void Advisor::advise(const LoadReport& report, const ServiceLoad& load, double peak,
                     ServiceAdvice& advice) const {
  const double least = peak / options_.utilisation;
  const double more = least * (1 + options_.margin);
  if (advice.cores < least || advice.cores > more * (1 + options_.margin)) advice.cores = more;
  advice.replicas = std::max(load.factor, 2 * options_.failures + 1);
  advice.nodes = std::max(advice.replicas, whole(advice.cores / report.cores_per_node));
  const std::uint32_t shards = std::max(whole(advice.cores), advice.nodes);
  advice.shards = std::max(1u, load.shards);
  while (advice.shards < shards) advice.shards *= 2;
}

void Advisor::charge(const LoadReport& report) {
  const double hours =
      began_ ? std::chrono::duration<double, std::ratio<3600>>(report.at - last_).count() : 0;
  double cores = 0;
  for (const auto& [name, load] : report.services) cores += load.cores;
  double used = 0;
  for (const auto& [name, load] : report.services) {
    ServiceCost& cost = services_[name].cost;
    const double share =
        cores > 0 ? load.cores / cores : 1 / static_cast<double>(report.services.size());
    cost.core_hours += load.cores * hours;
    cost.node_hours += share * report.nodes * hours;
    cost.bytes = load.bytes;
    used += cost.core_hours;
  }
  advice_.costs.clear();
  for (auto& [name, watched] : services_) {
    watched.cost.cpu_share = used > 0 ? watched.cost.core_hours / used : 0;
    advice_.costs[name] = watched.cost;
  }
}

}  // namespace troupe::cluster
