// The Platform of one life of a node, made of the world's parts.
#pragma once

#include <memory>

#include "runtime/platform/platform.hpp"
#include "simulations/checks/replica_checks.hpp"
#include "simulations/world/clock.hpp"
#include "simulations/world/disk.hpp"
#include "simulations/world/logger.hpp"
#include "simulations/world/network.hpp"
#include "simulations/world/scheduler.hpp"
#include "simulations/world/workers.hpp"

namespace troupe::simulations {

// What the processors of a machine are said to have done: each message that an actor handles counts
// for so long. It takes none of the world's time.
struct ProcessorTimes {
  unsigned processors = 1;
  Duration message = Duration::zero();
};

// What one machine keeps from life to life, and how it is set up.
struct Hardware {
  DiskImage disk;
  DiskFaults disk_faults;
  WorkTimes work_times;
  ProcessorTimes processor_times;
  MachineClock clock;
  SimCertificate certificate;
  ReplicaChecks* checks = nullptr;  // hear what its replicas do; null: nobody does
};

class SimPlatform final : public runtime::Platform {
 public:
  SimPlatform(std::shared_ptr<Life> life, Hardware& hardware, Fabric& fabric, LogBook& book);

  runtime::Clock& clock() override { return clock_; }
  runtime::Random& random() override { return random_; }
  runtime::Disk& disk() override { return disk_; }
  runtime::Network& network() override { return *network_; }
  runtime::Workers& workers() override { return workers_; }
  runtime::Logger& log() override { return log_; }
  runtime::Metrics& metrics() override { return *metrics_; }
  runtime::Probe* probe() override { return probe_.get(); }
  unsigned processors() const override { return processor_times_.processors; }
  Duration processor_time() const override {
    const std::uint64_t messages = scheduler_ ? scheduler_->steps() : 0;
    return static_cast<std::int64_t>(messages) * processor_times_.message;
  }
  void configure(caf::actor_system_config& config) override;
  void fail_stop(const Error& why) override;

  Life& life() { return *life_; }

  // Null before the process has made its actor system and after it destroyed it.
  SimScheduler* scheduler() { return scheduler_; }

  // The process is about to be destroyed; see SimNetwork::drop().
  void drop_connections() { network_->drop(); }

 private:
  std::shared_ptr<Life> life_;
  SimClock clock_;
  RandomStream random_;
  SimDisk disk_;
  std::shared_ptr<SimNetwork> network_;
  SimWorkers workers_;
  SimLogger log_;
  std::unique_ptr<runtime::Metrics> metrics_;
  std::unique_ptr<runtime::Probe> probe_;
  const ProcessorTimes& processor_times_;
  SimScheduler* scheduler_ = nullptr;
};

}  // namespace troupe::simulations
