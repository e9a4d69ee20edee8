// What a node's process has used of its processors, and which service how much of it: for the load
// report, for metrics, and by them for `troupe advise`.
//
// The system says what the process used. What serves all (network, log, workers) is shared out with
// the rest of it, by the time that the services' shards were at work; where no time passes
// meanwhile (in a simulated world), by their commands. Where the system says nothing it is 0.
//
// Threads: any. Everything referred to outlives it.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "cluster/directory/table.pb.h"
#include "cluster/hosted.hpp"
#include "runtime/platform/platform.hpp"

namespace troupe::cluster {

class NodeLoads {
 public:
  NodeLoads(runtime::Platform& platform, const Hosted& hosted)
      : platform_(platform), hosted_(hosted) {}

  // Up to now, since the process started.
  NodeLoad now();
  // That, and what the shards that this node leads are like.
  void report(DirectoryCall& call);

 private:
  struct Service {
    std::int64_t busy_ns = 0;  // as counted last, as what follows
    std::uint64_t commands = 0;
    double processor_ms = 0;
  };

  runtime::Platform& platform_;
  const Hosted& hosted_;
  std::mutex mutex_;  // guards what follows
  Duration used_{};   // by the process, as counted last
  std::map<std::string, Service> services_;
};

}  // namespace troupe::cluster
