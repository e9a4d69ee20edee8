// What looks at a world while it runs, beside the clients: checks of every step, such as the chain
// of applied batches. A part of the binary that has one registers how it is made; every run makes
// its own.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "simulations/rehearsal/outcome.hpp"
#include "simulations/world/world.hpp"

namespace troupe::simulations {

class Watcher {
 public:
  virtual ~Watcher() = default;  // before the world is destroyed

  // Asked ten times a simulated second, and at the end.
  virtual std::optional<Failure> failure() = 0;
};

using MakeWatcher = std::function<std::unique_ptr<Watcher>(World&)>;

// Those of the binary, in the order of their registration.
std::vector<MakeWatcher>& watchers();

struct WatcherRegistration {
  explicit WatcherRegistration(MakeWatcher make) { watchers().push_back(std::move(make)); }
};

}  // namespace troupe::simulations
