// What the command line of `troupe simulate` says. What to do about it is a hook: only a binary
// that has simulations has the command.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace troupe::cluster {

// As typed: empty where nothing was given.
struct SimulateOptions {
  std::vector<std::string> names;  // of simulations, or files
  std::string seed, seeds, first;
  std::string jobs;
  std::string faults, plan;
  std::string trace;
  std::string time, seed_limit;
  bool until_failure = false;
  bool shrink = false;
  bool list = false;
  bool verbose = false;
  bool json = false;
};

// The options outlive the app.
void add_simulate(CLI::App& app, SimulateOptions& options);

}  // namespace troupe::cluster
