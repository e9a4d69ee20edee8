// `troupe backup` and `troupe restore`.
#pragma once

#include <string>
#include <vector>

#include "cluster/cli/command/ask.hpp"
#include "cluster/cli/command/cli.hpp"

namespace CLI {
class App;
}

namespace troupe::cluster {

struct BackupOptions {
  AskOptions ask;
  std::string to;  // a folder
};

struct RestoreOptions {
  std::string file;                // the manifest
  std::string from;                // a backup's folder
  std::vector<std::string> nodes;  // names; empty: all
  std::string id;                  // of the cluster; empty: a new one
  std::string data;                // of the one node, instead of the manifest's; empty: that
  bool json = false;
};

void add_backup(CLI::App& app, BackupOptions& options);
void add_restore(CLI::App& app, RestoreOptions& options);
// The hooks must be there.
int run_backup(const CliIo& io, const CliHooks& hooks, const BackupOptions& options);
int run_restore(const CliIo& io, const CliHooks& hooks, const RestoreOptions& options);

}  // namespace troupe::cluster
