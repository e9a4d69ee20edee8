// A simulation as a TOML file: a declared one, called its workload, with other faults, another
// manifest, duration or number of clients. docs/simulation.md describes the file.
//
// One run finds every mistake, as for manifests (config/load.hpp). No variable of the environment
// is set in it: what a simulation does depends on the file and the seed alone.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "config/problem.hpp"
#include "simulations/campaign/crew.hpp"

namespace troupe::simulations {

struct SimulationFileInput {
  std::string text;
  std::string file;  // its name; a manifest's path begins in its folder, and the variation has it
  const std::vector<Simulation>* simulations = nullptr;
  std::optional<std::vector<std::string>> services;  // those that a manifest may name; nullopt: any
  // The text of a file, or why it cannot be read.
  std::function<tl::expected<std::string, std::string>(const std::string& file)> read;
};

tl::expected<Variation, std::vector<config::Problem>> load_simulation_file(
    const SimulationFileInput& input);

}  // namespace troupe::simulations
