// Policies in the directory's table: what is different in the cluster from what the manifests of
// its nodes say. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/directory/directory.pb.h"
#include "cluster/directory/table.hpp"
#include "config/policies.hpp"
#include "runtime/result.hpp"

namespace troupe::cluster {

// Whose policies those of the balancer are; no service is called so.
inline constexpr std::string_view balancer_policies = "balancer";

// Of a service or of the balancer; none: nothing is different.
config::Policies policies_in(const DirectoryTable& table, std::string_view of);

// The policies of a service, or of the balancer, as an order changes them. Nullopt: they are so
// already. INVALID_ARGUMENT / POLICY_UNSUITABLE, SHARD_UNKNOWN, FORMAT_NOT_READABLE.
Result<std::optional<DirectoryPolicies>> with_policies(
    const DirectoryTable& table, const directory::v1::SetPoliciesRequest& request);

// INVALID_ARGUMENT / POLICY_UNSUITABLE, if there are any.
Result<void> no_problems(const std::vector<config::Problem>& problems);

}  // namespace troupe::cluster
