#include "simulations/world/platform.hpp"

#include <caf/actor_system_config.hpp>

namespace troupe::simulations {

namespace {

// Up to eleven days, as if the machine had been up for some time.
Duration draw_start(const Life& life) {
  return std::chrono::milliseconds{life.stream(Domain::clock).between(1, 1'000'000'000)};
}

}  // namespace

SimPlatform::SimPlatform(std::shared_ptr<Life> life, Hardware& hardware, Fabric& fabric,
                         LogBook& book)
    : life_(std::move(life)),
      clock_(life_->loop, draw_start(*life_), hardware.clock),
      random_(life_->stream(Domain::platform)),
      disk_(life_, clock_, hardware.disk, hardware.disk_faults),
      network_(std::make_shared<SimNetwork>(life_, fabric, hardware.certificate)),
      workers_(life_, hardware.work_times, hardware.disk_faults),
      log_(life_, book),
      metrics_(runtime::Metrics::make()),
      processor_times_(hardware.processor_times) {
  if (hardware.checks)
    probe_ = hardware.checks->listen(life_->node_name(), [life = life_] { return life->over(); });
}

void SimPlatform::configure(caf::actor_system_config& config) {
  config.set("logger.verbosity", caf::atom("quiet"));  // CAF's logger would start a thread
  config.module_factories.push_back([this](caf::actor_system& system) {
    return static_cast<caf::actor_system::module*>(
        new SimScheduler(system, life_, clock_, scheduler_));  // the system owns it
  });
}

void SimPlatform::fail_stop(const Error& why) {
  log_.error("node.fail_stop", why.describe());
  life_->crash(why);
}

}  // namespace troupe::simulations
