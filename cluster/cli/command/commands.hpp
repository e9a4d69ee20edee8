// The commands behind the command line: each does one thing and returns the exit status.
#pragma once

#include <string>

#include "cluster/cli/command/certs.hpp"
#include "cluster/cli/command/cli.hpp"
#include "cluster/cli/command/io.hpp"

namespace troupe::cluster {

inline constexpr int exit_done = 0;
inline constexpr int exit_failed = 1;
inline constexpr int exit_usage = 2;  // wrong command line or manifest

struct StartOptions {
  std::string file;
  std::string name;  // empty: the manifest's only node
  std::string data;  // instead of the node's data folder; empty: as the manifest says
};
int run_up(const CliIo& io, const CliHooks& hooks, const StartOptions& options);
int run_named_node(const CliIo& io, const CliHooks& hooks, const StartOptions& options);

struct CheckOptions {
  std::string file;
  bool json = false;
};
int run_check(const CliIo& io, const CliHooks& hooks, const CheckOptions& options);

// Whom to ask. At most one of `admin` and `manifest` is given.
struct AskOptions {
  std::string admin;     // an address; empty: TROUPE_ADMIN, else the default
  std::string manifest;  // a file: every node in it
  std::string timeout = "5s";
  bool json = false;  // one JSON object per node, one per line
};
inline constexpr const char* default_admin = "127.0.0.1:7480";

int run_status(const CliIo& io, const AskOptions& options);
int run_tree(const CliIo& io, const AskOptions& options);
int run_shards(const CliIo& io, const AskOptions& options);

// The hook must be there.
int run_simulate(const CliIo& io, const CliHooks& hooks, const SimulateOptions& options);

}  // namespace troupe::cluster
