// Runs `troupe simulate` in this process, on toy simulations.
#pragma once

#include "simulations/cli/simulate.hpp"
#include "tests/cluster/cli/support.hpp"
#include "tests/simulations/campaign/toys.hpp"

namespace troupe::simulations {

using cluster::contains;
using cluster::Ran;
using cluster::TemporaryFolder;

struct Simulate {
  RunFunction run_one = run_toy;
  std::vector<std::string> marks{"a toy ran", "an even seed", "a thing that never happens"};
  std::string program = "troupe";

  Ran run(std::vector<std::string> words) const {
    cluster::Command command;
    command.program = program;
    command.hooks.simulate = [this](const cluster::CliIo& io,
                                    const cluster::SimulateOptions& options) {
      return simulate(io, options, {toy_simulations(), run_one, marks, {"banking.v1.Accounts"}});
    };
    words.insert(words.begin(), "simulate");
    return command.run(words);
  }
};

}  // namespace troupe::simulations
