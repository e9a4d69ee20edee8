// What the command line needs of clusters, on the operating system's disk.
#pragma once

#include "actors/service.hpp"
#include "cluster/cli/command/cli.hpp"

namespace troupe::cluster {

// Sets all hooks but those that run nodes and simulations. `registry` outlives them.
void add_cluster_hooks(CliHooks& hooks, const actors::ServiceRegistry& registry);

}  // namespace troupe::cluster
