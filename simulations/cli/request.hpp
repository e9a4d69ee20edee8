// What a command line asks for, checked.
#pragma once

#include <optional>
#include <string>

#include "simulations/campaign/campaign.hpp"
#include "simulations/campaign/shrink.hpp"
#include "simulations/cli/simulate.hpp"

namespace troupe::simulations {

struct Request {
  Campaign campaign;
  bool one_seed = false;  // --seed
  bool fresh = false;     // the first seed was drawn just now
  std::string trace;      // a file, or empty
  Duration shrink_time{};
  bool plan_from_input = false;    // nobody can read it again: a command brings it along
  std::string program = "troupe";  // as it is called
  std::string varied;  // the options that a command needs, too, to repeat a run: " --faults none"
};

// Nullopt after a complaint on standard error: exit with 2.
std::optional<Request> understand(const cluster::CliIo& io, const cluster::SimulateOptions& options,
                                  const Repertoire& repertoire);

}  // namespace troupe::simulations
