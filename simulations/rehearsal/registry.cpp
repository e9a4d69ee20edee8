#include <algorithm>

#include "simulations/rehearsal/rehearsal.hpp"
#include "simulations/rehearsal/watcher.hpp"
#include "simulations/world/check.hpp"

namespace troupe::simulations {

namespace {

std::vector<Simulation>& all() {
  static std::vector<Simulation> simulations;
  return simulations;
}

}  // namespace

const std::vector<Simulation>& simulations() {
  return all();
}

const Simulation* find_simulation(const std::string& name) {
  const auto found = std::ranges::find(all(), name, &Simulation::name);
  return found == all().end() ? nullptr : &*found;
}

SimulationRegistration::SimulationRegistration(Simulation simulation) {
  check(find_simulation(simulation.name) == nullptr,
        "two simulations have the name " + simulation.name);
  const auto place = std::ranges::lower_bound(all(), simulation.name, {}, &Simulation::name);
  all().insert(place, std::move(simulation));
}

std::string name_of_simulation(std::string identifier) {
  std::ranges::replace(identifier, '_', '-');
  return identifier;
}

std::vector<MakeWatcher>& watchers() {
  static std::vector<MakeWatcher> made;
  return made;
}

}  // namespace troupe::simulations
