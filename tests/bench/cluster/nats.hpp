// A yardstick: three NATS servers on this machine with a JetStream stream of three replicas, and a
// client of its text protocol. A publish is acknowledged when a majority has written it; nothing is
// synced to disk before (NATS does that every two minutes).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/bench/figure.hpp"
#include "tests/bench/fixture.hpp"
#include "tests/bench/process.hpp"

namespace troupe::bench {

class Nats {
 public:
  explicit Nats(const Options& options);
  ~Nats();

  // Publishes of 100 bytes over one connection with the server that leads the stream, which is
  // where it is fastest.
  LoopResult publishes(int in_flight, double seconds);

 private:
  std::string folder_;
  std::vector<std::unique_ptr<Server>> servers_;
  unsigned short leader_ = 0;  // its port
};

}  // namespace troupe::bench
