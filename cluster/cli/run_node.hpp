// Runs one node in this process on the operating system, until it is told to stop.
#pragma once

#include <functional>
#include <string>

#include "actors/service.hpp"
#include "config/manifest.hpp"

namespace troupe::cluster {

// Blocks. SIGTERM and SIGINT stop the node in good order; a second one ends the process at once.
// Returns the exit status: 0 after a stop in good order, 1 if the node could not start (the reason
// is on standard error) or did not stop in time. `each_second`, if any, is called so often until it
// is told to stop.
int run_node(const config::Manifest& manifest, const std::string& name,
             const actors::ServiceRegistry& registry,
             const std::function<void()>& each_second = nullptr);

}  // namespace troupe::cluster
