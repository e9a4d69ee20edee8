#include "cluster/directory/policies.hpp"

#include <algorithm>
#include <utility>

#include "cluster/directory/formats.hpp"
#include "cluster/directory/refusals.hpp"

namespace troupe::cluster {
namespace {

// Each policy by itself, and written the one way in which its value is written.
template <class Settings>
Result<config::Policies> suitable(const config::Policies& policies) {
  Settings settings;
  TROUPE_CHECK(no_problems(config::apply_policies(settings, policies)));
  config::Policies written;
  for (const config::Setting& setting : config::settings_of(settings))
    if (policies.contains(setting.key)) written[setting.key] = setting.value;
  return written;
}

Result<config::Policies> suitable(std::string_view of, const config::Policies& policies) {
  return of == balancer_policies ? suitable<config::Balancer>(policies)
                                 : suitable<config::Service>(policies);
}

bool is_key(std::string_view of, const std::string& key) {
  const auto settings = of == balancer_policies ? config::settings_of(config::Balancer{})
                                                : config::settings_of(config::Service{});
  return std::ranges::find(settings, key, &config::Setting::key) != settings.end();
}

}  // namespace

config::Policies policies_in(const DirectoryTable& table, std::string_view of) {
  config::Policies policies;
  if (const DirectoryPolicies* found = find_policies(table, of))
    for (const auto& policy : found->policies()) policies[policy.key()] = policy.value();
  return policies;
}

Result<void> no_problems(const std::vector<config::Problem>& problems) {
  if (problems.empty()) return {};
  std::string text;
  for (const config::Problem& problem : problems)
    text += (text.empty() ? "" : "; ") + problem.path + ": " + problem.message +
            (problem.hint.empty() ? "" : " (" + problem.hint + ")");
  return invalid_argument("POLICY_UNSUITABLE", text);
}

Result<std::optional<DirectoryPolicies>> with_policies(
    const DirectoryTable& table, const directory::v1::SetPoliciesRequest& request) {
  if (request.of() != balancer_policies && !find_service(table, request.of()))
    return shard_unknown("service " + request.of());
  config::Policies wanted;
  for (const auto& policy : request.set()) wanted[policy.key()] = policy.value();
  TROUPE_TRY(set, suitable(request.of(), wanted));
  config::Policies policies = policies_in(table, request.of());
  const config::Policies before = policies;
  for (const std::string& key : request.unset())
    if (policies.erase(key) == 0 && !is_key(request.of(), key))
      return invalid_argument(
          "POLICY_UNSUITABLE",
          key + ": unknown key ('troupe policy " + request.of() + "' shows those that there are)");
  for (auto& [key, value] : set) policies[key] = std::move(value);
  if (policies == before) return std::optional<DirectoryPolicies>{};
  if (const DirectoryNode* unable = who_cannot_read(table, policies_format))
    return not_readable(*unable, policies_format);
  DirectoryPolicies changed;
  changed.set_of(request.of());
  for (const auto& [key, value] : policies) {
    auto& policy = *changed.add_policies();
    policy.set_key(key);
    policy.set_value(value);
  }
  return std::optional{std::move(changed)};
}

}  // namespace troupe::cluster
