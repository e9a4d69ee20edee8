// A small node of CAF actors for the tests of the world: a service that remembers numbers.
//
// A client sends lines "put N"; the keeper gathers those that wait, writes them in one transaction
// on a Workers queue, and answers "ok N" when they are synced, or "full N" when the disk is. Any
// other error of the disk is a fail-stop. A timer counts.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "simulations/world/process.hpp"

namespace troupe::simulations {

class ToyNode : public SimulatedProcess {
 public:
  // What it holds, in order; reads its file directly.
  virtual std::vector<std::uint64_t> numbers() = 0;
  virtual std::uint64_t ticks() const = 0;  // one every 10 ms
};

// Listens on node's name, port 80. DATA_LOSS if its file fails SQLite's integrity_check.
StartProcess toy_node();

}  // namespace troupe::simulations
