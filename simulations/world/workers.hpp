// Workers without threads: a job is an event of the loop. A queue takes its jobs one at a time;
// each happens as a whole at the moment at which it completes, after a time that is drawn from the
// seed. So an actor that waits for a job goes on working meanwhile, and a crash finds a job either
// not begun or done. While the process is paused, no job happens.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "runtime/platform/workers.hpp"
#include "simulations/world/disk.hpp"
#include "simulations/world/life.hpp"

namespace troupe::simulations {

// How long a job takes, both included; taken over at a start.
struct WorkTimes {
  Duration min = std::chrono::microseconds{20};
  Duration max = std::chrono::milliseconds{2};
};

class SimWorkQueue;

class SimWorkers final : public runtime::Workers {
 public:
  SimWorkers(std::shared_ptr<Life> life, WorkTimes times, const DiskFaults& faults)
      : life_(std::move(life)), times_(times), faults_(faults) {}

  std::unique_ptr<runtime::WorkQueue> queue(const std::string& name, Kind kind) override;

 private:
  std::shared_ptr<Life> life_;
  WorkTimes times_;
  const DiskFaults& faults_;
  std::uint32_t queues_ = 0;
};

}  // namespace troupe::simulations
