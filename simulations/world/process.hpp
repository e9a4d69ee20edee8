// What runs on a machine of a world: a node of the cluster, or a test's own.
#pragma once

#include <functional>
#include <memory>

#include "runtime/platform/platform.hpp"
#include "runtime/result.hpp"

namespace troupe::simulations {

// Owns its actor system, whose configuration went through Platform::configure(). The destructor
// runs with every actor ended; it must not wait for anything.
class SimulatedProcess {
 public:
  virtual ~SimulatedProcess() = default;

  // Begins an orderly end, as on SIGTERM. The process has ended once no actor is running any more;
  // the world destroys it then.
  virtual void stop() = 0;
};

// Starts the process: called once for each life of a machine. May use the Disk directly. On an
// error nothing of the process is left.
using StartProcess =
    std::function<Result<std::unique_ptr<SimulatedProcess>>(runtime::Platform& platform)>;

}  // namespace troupe::simulations
