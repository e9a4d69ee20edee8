// Policies: settings of services and of the balancer that may change while a cluster runs (`troupe
// policy`), each as the key and the value that a manifest would have. Which there are, their types
// and ranges and which of a section's keys are none, the manifest's schema says.
//
// A policy is kept as texts, because nodes of two versions may know different ones: each takes what
// it knows.
//
// Pure functions.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "config/manifest.hpp"
#include "config/problem.hpp"

namespace troupe::config {

// "limits.waiting_commands" to "20000"; durations and sizes without the quotes of TOML.
using Policies = std::map<std::string, std::string, std::less<>>;

struct Setting {
  std::string key;
  std::string value;  // the shortest text that means this value
  std::string fixed;  // why it may not change while the cluster runs; empty: it may
};

// All keys with their values, in the order of docs/manifest.md.
std::vector<Setting> settings_of(const Service& service);
std::vector<Setting> settings_of(const Balancer& balancer);

// Changes what the policies say. What is wrong with them comes back; a policy that is wrong changes
// nothing.
std::vector<Problem> apply_policies(Service& service, const Policies& policies);
std::vector<Problem> apply_policies(Balancer& balancer, const Policies& policies);

// Values each of which may be, and not together.
std::vector<Problem> contradictions(const Service& service);

}  // namespace troupe::config
