#include "cluster/node_policies.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "cluster/directory/refusals.hpp"

namespace troupe::cluster {
namespace {

using config::Setting;

// `now` and `manifest` have the same keys in the same order, as have the defaults.
PolicyReport::Group group_of_settings(std::string of, const std::vector<Setting>& now,
                                      const std::vector<Setting>& manifest,
                                      const std::vector<Setting>& defaults,
                                      const config::Policies& policies) {
  PolicyReport::Group group;
  group.set_of(std::move(of));
  for (std::size_t i = 0; i < now.size(); ++i) {
    auto& value = *group.add_values();
    value.set_key(now[i].key);
    value.set_value(now[i].value);
    value.set_manifest(manifest[i].value);
    value.set_fixed(now[i].fixed);
    value.set_from(policies.contains(now[i].key) || now[i].value != manifest[i].value ? "cluster"
                   : manifest[i].value != defaults[i].value                           ? "manifest"
                                                                                      : "default");
  }
  return group;
}

PolicyReport::Group balancer_group(const config::Balancer& manifest,
                                   const config::Policies& policies) {
  config::Balancer now = manifest;
  (void)config::apply_policies(now, policies);
  return group_of_settings(std::string{balancer_policies}, config::settings_of(now),
                           config::settings_of(manifest), config::settings_of(config::Balancer{}),
                           policies);
}

}  // namespace

void NodePolicies::take(const DirectoryTable& newer) {
  for (const DirectoryPolicies& one : newer.policies())
    if (one.of() != balancer_policies) follow(newer, one.of());  // the keeper sees to the balancer
  // One that is told anew has all that there is: what the node knew besides is lost.
  if (newer.renewed() == 0) return;
  for (const DirectoryService& service : newer.services())
    if (!find_policies(newer, service.service())) follow(newer, service.service());
}

void NodePolicies::follow(const DirectoryTable& newer, const std::string& service) {
  config::Service settings = spec_.manifest.service(service);
  auto problems = config::apply_policies(settings, policies_in(newer, service));
  for (auto& problem : config::contradictions(settings)) problems.push_back(std::move(problem));
  if (const auto well = no_problems(problems); !well)
    spec_.platform->log().warn(
        "policies.unsuitable",
        "this node does not go by all policies of " + service + ": " + well.error().message,
        {{"service", service}});
  spec_.platform->log().info("policies.changed", "other policies hold for " + service,
                             {{"service", service}, {"version", newer.version()}});
  spec_.shards->configure(service, settings);
  spec_.admission->configure(service, settings.admission);
}

PolicyReport::Group NodePolicies::service_group(const DirectoryTable& table,
                                                const DirectoryService& service) const {
  const std::string& name = service.service();
  const config::Service manifest = spec_.manifest.service(name);
  const config::Policies policies = policies_in(table, name);
  config::Service now = manifest;
  (void)config::apply_policies(now, policies);
  // What shards here really go by.
  const auto services = spec_.hosted->now();
  if (const HostedService* hosted = cluster::find_service(*services, name)) now = hosted->settings;
  now.shards = static_cast<std::uint32_t>(service.first_bucket_size());
  now.replication_factor = service.factor();
  config::Manifest silent = spec_.manifest;
  silent.service_defaults = {};
  silent.services.clear();
  return group_of_settings(name, config::settings_of(now), config::settings_of(manifest),
                           config::settings_of(silent.service(name)), policies);
}

Result<PolicyReport> NodePolicies::report(const DirectoryTable& table,
                                          const std::string& of) const {
  PolicyReport report;
  report.set_node(spec_.node);
  for (const DirectoryService& service : table.services())
    if (of.empty() || of == service.service()) *report.add_groups() = service_group(table, service);
  if (of.empty() || of == balancer_policies)
    *report.add_groups() =
        balancer_group(spec_.manifest.balancer, policies_in(table, balancer_policies));
  if (report.groups().empty()) return shard_unknown("service " + of);
  return report;
}

Result<void> NodePolicies::fits(const DirectoryTable& table,
                                const DirectoryOrder::Policy& order) const {
  if (order.of() == balancer_policies) return {};
  config::Policies policies = policies_in(table, order.of());
  for (const std::string& key : order.unset()) policies.erase(key);
  for (const auto& policy : order.set()) policies[policy.key()] = policy.value();
  config::Service settings = spec_.manifest.service(order.of());
  (void)config::apply_policies(settings, policies);  // what is wrong by itself is told later
  return no_problems(config::contradictions(settings));
}

}  // namespace troupe::cluster
