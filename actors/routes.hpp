// Routes of several contracts side by side. protoc-gen-troupe refuses a clash inside one contract;
// a binary that hosts several checks them together when it starts.
#pragma once

#include "actors/service.hpp"
#include "runtime/result.hpp"

namespace troupe::actors {

// FAILED_PRECONDITION / ROUTES_CLASH names every pair of HTTP bindings that match a common path
// under the same HTTP method, with the rpcs that they belong to.
Result<void> check_routes(const ServiceRegistry& registry);

}  // namespace troupe::actors
