// The commands behind the command line: each does one thing and returns the exit status.
#pragma once

#include <string>
#include <vector>

#include "cluster/cli/command/certs.hpp"
#include "cluster/cli/command/cli.hpp"
#include "cluster/cli/command/io.hpp"

namespace troupe::cluster {

inline constexpr int exit_done = 0;
inline constexpr int exit_failed = 1;
inline constexpr int exit_usage = 2;  // wrong command line or manifest

// Starts nodes of the manifest here, in the foreground: one in this process, several as its
// children. In folders that are all empty it creates the cluster first.
struct UpOptions {
  std::string file;
  std::vector<std::string> only;  // names; empty: all
  std::string data;               // of the one node, instead of the manifest's; empty: that
};
int run_up(const CliIo& io, const CliHooks& hooks, const UpOptions& options);

struct NodeOptions {
  std::string file;
  std::string name;
  std::string data;
  std::string log_format;  // "auto", "text", "json", instead of the manifest's; empty: that
};
int run_named_node(const CliIo& io, const CliHooks& hooks, const NodeOptions& options);

struct InitOptions {
  std::string file;
  std::vector<std::string> nodes;  // names; empty: all
  std::string id;                  // of the cluster; empty: a new one
  std::string data;                // of the one node, instead of the manifest's; empty: that
  bool replace = false;            // the nodes ran before and lost their data
  bool join = false;               // the one node joins a cluster that runs
  std::string admin;               // of a node that runs; empty: those of the manifest
  std::string timeout = "5s";      // with join, of each answer
  bool json = false;
};
int run_init(const CliIo& io, const CliHooks& hooks, const InitOptions& options);

struct CheckOptions {
  std::string file;
  bool json = false;
};
int run_check(const CliIo& io, const CliHooks& hooks, const CheckOptions& options);

// The OpenAPI document of what this binary serves.
struct OpenApiOptions {
  std::string manifest;  // a file, whose cluster it is named after; empty: none
  std::string out;       // a file; empty: standard output
};
// The hook must be there.
int run_openapi(const CliIo& io, const CliHooks& hooks, const OpenApiOptions& options);

// Whom to ask. At most one of `admin` and `manifest` is given.
struct AskOptions {
  std::string admin;     // an address; empty: TROUPE_ADMIN, else the default
  std::string manifest;  // a file: every node in it
  std::string timeout = "5s";
  std::string interval = "2s";  // of watch
  bool watch = false;           // status: again and again
  bool json = false;            // one JSON object per node, one per line
};
inline constexpr const char* default_admin = "127.0.0.1:7480";

int run_status(const CliIo& io, const AskOptions& options);
int run_tree(const CliIo& io, const AskOptions& options);
int run_shards(const CliIo& io, const AskOptions& options);

// Whom to go on without, for ever.
struct RecoverOptions {
  std::string manifest;           // a file
  std::vector<std::string> lost;  // names of nodes
  std::string yes;                // the cluster's name, instead of asking for it; empty: ask
  std::string timeout = "5s";     // of each question
};
int run_recover(const CliIo& io, const RecoverOptions& options);

// The hook must be there.
int run_simulate(const CliIo& io, const CliHooks& hooks, const SimulateOptions& options);

}  // namespace troupe::cluster
