// The options of every command that asks nodes.
#pragma once

#include <string>

#include "cluster/cli/command/commands.hpp"

namespace CLI {
class App;
}

namespace troupe::cluster {

// How a command says whom it asks.
struct AskWords {
  std::string admin;     // of --admin, before its default is told
  std::string manifest;  // of --manifest
  std::string timeout;
  std::string json;
};

CLI::App* add_asking(CLI::App& app, AskOptions& ask, const std::string& name,
                     const std::string& description, const AskWords& words);

}  // namespace troupe::cluster
