#include "cluster/directory/loads.hpp"

#include <algorithm>
#include <cmath>
#include <set>

namespace troupe::cluster {
namespace {

constexpr double mean_seconds = 60;

double rate(std::uint64_t first, std::uint64_t last, double seconds) {
  return last > first ? static_cast<double>(last - first) / seconds : 0;
}

const NodeLoad::Service* service_of(const NodeLoad& load, const std::string& name) {
  const auto found = std::ranges::find_if(
      load.services(), [&](const NodeLoad::Service& one) { return one.service() == name; });
  return found == load.services().end() ? nullptr : &*found;
}

}  // namespace

void Loads::clear() {
  nodes_.clear();
  advisor_ = Advisor{{}};
  newest_ = {};
  since_ = {};
  publish({});
}

void Loads::take(const std::string& node, const DirectoryCall& call, MonotonicTime now) {
  if (!call.has_load()) return;
  Node& known = nodes_[node];
  if (known.incarnation != call.self().incarnation() || known.last_at == MonotonicTime{}) {
    known = {};
    known.incarnation = call.self().incarnation();
    known.first = call.load();
    known.first_at = now;
  }
  known.last = call.load();
  known.last_at = now;
}

// A node that has told nothing new counts as before.
void Loads::Node::measure() {
  const double seconds = std::chrono::duration<double>(last_at - first_at).count();
  if (seconds <= 0) return;
  cores = rate(first.processor_ms(), last.processor_ms(), seconds) / 1000;
  cores_mean += (1 - std::exp(-seconds / mean_seconds)) * (cores - cores_mean);
  services.clear();
  for (const NodeLoad::Service& now : last.services()) {
    Service& one = services[now.service()];
    one.bytes = now.bytes();
    const NodeLoad::Service* before = service_of(first, now.service());
    if (!before) continue;
    one.cores = rate(before->processor_ms(), now.processor_ms(), seconds) / 1000;
    one.commands_per_second = rate(before->commands(), now.commands(), seconds);
  }
  first = last;
  first_at = last_at;
}

void Loads::observe(const DirectoryTable& table, WallTime now, Duration hold) {
  LoadReport report;
  report.at = now;
  std::set<std::string> zones;
  std::uint64_t processors = 0;
  std::uint32_t told = 0;
  for (const DirectoryService& service : table.services()) {
    ServiceLoad& load = report.services[service.service()];
    load.factor = service.factor();
    load.shards = static_cast<std::uint32_t>(std::ranges::count_if(
        table.shards(), [&](const auto& shard) { return shard.service() == service.service(); }));
  }
  for (const DirectoryNode& node : table.nodes()) {
    const auto found = nodes_.find(node.name());
    if (node.state() != DirectoryNode::UP) {
      if (found != nodes_.end()) nodes_.erase(found);
      continue;
    }
    ++report.nodes;
    for (const DirectoryLabel& label : node.labels())
      if (label.name() == "zone") zones.insert(label.value());
    if (found == nodes_.end()) continue;
    found->second.measure();
    ++told;
    processors += found->second.last.processors();
    for (const auto& [name, service] : found->second.services) {
      const auto load = report.services.find(name);
      if (load == report.services.end()) continue;
      load->second.cores += service.cores;
      load->second.commands_per_second += service.commands_per_second;
      load->second.bytes += service.bytes;
    }
  }
  const bool measured =
      std::ranges::any_of(nodes_, [](const auto& one) { return !one.second.services.empty(); });
  if (!measured || (newest_.nodes > 0 && now < newest_.at)) return;
  report.zones = static_cast<std::uint32_t>(zones.size());
  report.cores_per_node = std::max(1.0, static_cast<double>(processors) / std::max(1u, told));
  if (newest_.nodes == 0) since_ = now;
  newest_ = report;
  advisor_.set_hold(hold);
  advisor_.observe(report);
  publish(advice());
}

AdviceReport Loads::advice() const {
  AdviceReport report;
  if (newest_.nodes == 0) return report;
  const Advice& advice = advisor_.advice();
  report.set_nodes(advice.nodes);
  report.set_nodes_now(newest_.nodes);
  report.set_reason(advice.reason);
  report.set_since_ms(
      std::chrono::duration_cast<std::chrono::milliseconds>(since_.time_since_epoch()).count());
  for (const auto& [name, load] : newest_.services) {
    auto& one = *report.add_services();
    const ServiceAdvice& service = advice.services.at(name);
    const ServiceCost& cost = advice.costs.at(name);
    one.set_service(name);
    one.set_nodes(service.nodes);
    one.set_shards(service.shards);
    one.set_replicas(service.replicas);
    one.set_cores(service.cores);
    one.set_shards_now(load.shards);
    one.set_replicas_now(load.factor);
    one.set_cores_now(load.cores);
    one.set_commands_per_second(load.commands_per_second);
    one.set_cpu_share(cost.cpu_share);
    one.set_core_hours(cost.core_hours);
    one.set_node_hours(cost.node_hours);
    one.set_bytes(cost.bytes);
  }
  return report;
}

double Loads::cpu_share(const std::string& node) const {
  const auto found = nodes_.find(node);
  if (found == nodes_.end() || found->second.last.processors() == 0) return 0;
  return std::min(1.0, found->second.cores_mean / found->second.last.processors());
}

std::uint32_t Loads::processors(const std::string& node) const {
  const auto found = nodes_.find(node);
  return found == nodes_.end() ? 0 : found->second.last.processors();
}

// What was said before and is not any more becomes 0.
void Loads::publish(const AdviceReport& report) {
  if (report.nodes() == 0 && told_.nodes() == 0) return;
  metrics_
      .gauge("troupe_advised_nodes",
             "Nodes that the cluster should have; 0 on those that do not keep the directory.")
      .set(report.nodes());
  const auto say = [&](const AdviceReport::Service& service, bool now) {
    const auto gauge = [&](const char* name, const char* help, double value) {
      metrics_.gauge(name, help, {{"service", service.service()}}).set(now ? value : 0);
    };
    gauge("troupe_advised_service_nodes", "Nodes that the service should be spread over at least.",
          service.nodes());
    gauge("troupe_advised_shards", "Shards that the service should have.", service.shards());
    gauge("troupe_service_busy_cores", "Processors that are busy for the service, on all nodes.",
          service.cores_now());
    gauge("troupe_service_bytes", "Bytes of the service's files, on all nodes.",
          static_cast<double>(service.bytes()));
  };
  for (const auto& service : told_.services()) say(service, false);
  for (const auto& service : report.services()) say(service, true);
  told_ = report;
}

}  // namespace troupe::cluster
