// Actors on a machine of a world, without a node around them.
#pragma once

#include <caf/all.hpp>
#include <functional>
#include <memory>

#include "tests/simulations/world/support.hpp"

namespace troupe::simulations {

// A process of actors that a test makes up.
class Stage final : public SimulatedProcess {
 public:
  using Spawn = std::function<void(caf::actor_system&, runtime::Platform&)>;

  Stage(runtime::Platform& platform, const Spawn& spawn) {
    platform.configure(config_);
    system_ = std::make_unique<caf::actor_system>(config_);
    spawn(*system_, platform);
  }
  void stop() override {}

  static StartProcess with(Spawn spawn) {
    return [spawn](runtime::Platform& platform) -> Result<std::unique_ptr<SimulatedProcess>> {
      return std::unique_ptr<SimulatedProcess>(new Stage(platform, spawn));
    };
  }

 private:
  caf::actor_system_config config_;
  std::unique_ptr<caf::actor_system> system_;
};

}  // namespace troupe::simulations
