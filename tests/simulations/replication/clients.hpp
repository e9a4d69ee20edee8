// Clients of a replicated counter, and what they saw.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "tests/simulations/replication/replica_node.hpp"

namespace troupe::simulations {

// What an operation returned and when it was under way. Every add adds one, so that values tell the
// order.
struct Operation {
  bool read = false;
  int key = 0;
  Duration called{};
  Duration returned{};
  std::int64_t value = 0;
};

// One client: one operation after another, each repeated under one message id, at any node, until
// it is answered.
class Client {
 public:
  Client(World& world, std::uint32_t number, int keys)
      : world_(world),
        number_(number),
        keys_(keys),
        dice_(world.seed(), Domain::client, 0, number) {}

  void run();
  void finish() { finishing_ = true; }
  bool idle() const { return finishing_ && !busy_; }

  std::uint64_t pause_ms = 20;  // between operations, at most
  // Begins each operation at any node, and does not wait for long: it finds a leader who does not
  // know that it leads no more, and one whom nobody else has found yet.
  bool wanders = false;
  std::vector<Operation> history;
  std::uint64_t attempts = 0;
  std::uint64_t refused = 0;
  std::map<std::string, std::uint64_t> errors;

 private:
  void begin();
  void attempt();
  void answered(std::uint64_t operation, Result<actors::Reply> reply);

  World& world_;
  const std::uint32_t number_;
  const int keys_;
  RandomStream dice_;
  Operation current_;
  actors::MessageId id_;
  std::uint64_t operation_ = 0;
  std::uint64_t tries_ = 0;
  std::size_t node_ = 0;
  bool busy_ = false;
  bool finishing_ = false;
};

// What is wrong with the operations of all clients together; empty: nothing.
std::string not_linearizable(const std::vector<Operation>& operations);

}  // namespace troupe::simulations
