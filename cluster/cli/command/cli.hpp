// The `troupe` command: reads the command line and does what it says.
//
// It knows manifests and the admin messages. How to run a node or a simulation is the caller's: a
// binary's main() gives its services and functions that host and rehearse them.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cluster/cli/command/io.hpp"
#include "cluster/cli/command/new_context.hpp"
#include "cluster/cli/command/simulate.hpp"
#include "cluster/init.hpp"
#include "cluster/restore.hpp"
#include "config/manifest.hpp"

namespace troupe::cluster {

struct CliHooks {
  // Runs one node of the manifest in this process until it is asked to stop; returns the exit
  // status. Exceptions are reported, with exit status 1.
  std::function<int(const config::Manifest& manifest, const std::string& node)> run_node;

  // Full names of the services that the binary has; a manifest may name no others.
  std::vector<std::string> services = {};

  // cluster/init.hpp on this machine's disk: what the folders of the manifest's nodes say, and the
  // creation of the cluster in those of some; an empty id: a new one. The id that was written.
  std::function<std::vector<Member>(const config::Manifest& manifest)> members = nullptr;
  std::function<Result<std::string>(const config::Manifest& manifest,
                                    const std::vector<std::string>& nodes, const std::string& id,
                                    Membership membership)>
      create_cluster = nullptr;

  // This machine's disk, for backups; and cluster/restore.hpp on it: `from`, `disk` and `random`
  // are the hook's.
  std::function<std::unique_ptr<runtime::Disk>()> disk = nullptr;
  std::function<Result<RestoreDone>(RestoreSpec spec)> restore = nullptr;

  // The OpenAPI document of the binary's services, for a cluster of that name. Empty: there is no
  // such command.
  std::function<Result<std::string>(const std::string& title)> openapi = nullptr;

  // This command, for nodes that run as child processes.
  std::string program = "/proc/self/exe";

  // Does what `troupe simulate` says; returns the exit status. Empty: there is no such command.
  std::function<int(const CliIo& io, const SimulateOptions& options)> simulate = nullptr;

  // Does what `troupe new context` says; returns the exit status. Empty: there is no such command.
  std::function<int(const CliIo& io, const NewContextOptions& options)> new_context = nullptr;
};

// Exit status: 0 done, 1 failed, 2 the command line or the manifest is wrong.
int run_cli(int argc, char** argv, const CliHooks& hooks);
int run_cli(int argc, const char* const* argv, const CliHooks& hooks, const CliIo& io);

}  // namespace troupe::cluster
