// `troupe simulate`: rehearses simulations seed by seed, says what failed and how to see it again.
// docs/simulation.md is its manual.
#pragma once

#include <string>
#include <vector>

#include "cluster/cli/command/io.hpp"
#include "cluster/cli/command/simulate.hpp"
#include "simulations/campaign/crew.hpp"

namespace troupe::simulations {

// What a binary has to rehearse.
struct Repertoire {
  std::vector<Simulation> simulations;  // sorted by name
  RunFunction run;
  std::vector<std::string> marks;     // all that a run could reach; empty: not known
  std::vector<std::string> services;  // full names, which the manifest of a file may have
};

// Returns the exit status: 0 no seed failed, 1 one did, 2 the command line or a file is wrong; 128
// and the number of the signal that ended it before a seed failed.
int simulate(const cluster::CliIo& io, const cluster::SimulateOptions& options,
             const Repertoire& repertoire);

}  // namespace troupe::simulations
