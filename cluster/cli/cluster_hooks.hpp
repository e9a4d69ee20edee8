// What the command line needs of clusters, on the operating system's disk.
#pragma once

#include "cluster/cli/command/cli.hpp"

namespace troupe::cluster {

// Sets CliHooks::members and CliHooks::create_cluster.
void add_cluster_hooks(CliHooks& hooks);

}  // namespace troupe::cluster
