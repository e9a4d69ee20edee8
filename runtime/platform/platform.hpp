// The only door to the outside world. Two implementations: platform/os for operating systems and
// simulations/world for rehearsals. Everything above is the same object code on both; one node
// gets one Platform, which outlives it.
#pragma once

#include <cstdint>

#include "runtime/error.hpp"
#include "runtime/platform/clock.hpp"
#include "runtime/platform/disk.hpp"
#include "runtime/platform/network.hpp"
#include "runtime/platform/random.hpp"
#include "runtime/platform/rpc.hpp"
#include "runtime/platform/workers.hpp"
#include "runtime/telemetry/log.hpp"
#include "runtime/telemetry/metrics.hpp"

namespace caf {
class actor_system_config;
}

namespace troupe::runtime {

class Probe;

class Platform {
 public:
  virtual ~Platform() = default;

  virtual Clock& clock() = 0;
  virtual Random& random() = 0;
  virtual Disk& disk() = 0;
  virtual Network& network() = 0;
  // Null where there are no sockets.
  virtual RpcServers* rpc() { return nullptr; }
  virtual Workers& workers() = 0;
  virtual Logger& log() = 0;
  virtual Metrics& metrics() = 0;

  // Who hears what the node's replicas do (storage/probe.hpp); null: nobody. Outlives the node.
  virtual Probe* probe() { return nullptr; }

  // Memory that the process occupies now; 0 where that says nothing (the simulator's nodes share
  // one).
  virtual std::uint64_t resident_bytes() const { return 0; }

  // Processors that the process may use, and the time that it has used of them since it started; 0
  // where that says nothing, as above.
  virtual unsigned processors() const { return 1; }
  virtual Duration processor_time() const { return Duration::zero(); }

  // Files and connections that the process may have open at once; and whether so few are left that
  // none is to go to a client. A simulator has no such bound.
  virtual std::uint64_t descriptors_max() const { return UINT64_MAX; }
  virtual bool descriptors_scarce() const { return false; }

  // Chooses CAF's scheduler and its threads for this platform.
  virtual void configure(caf::actor_system_config& config) = 0;

  // Fail-stop: after this call nothing that the node does has an effect any more. On an operating
  // system the process says why and ends, and the call does not return; in the simulator the node
  // is fenced and counts as crashed, and the caller returns as soon as it can.
  virtual void fail_stop(const Error& why) = 0;
};

}  // namespace troupe::runtime
