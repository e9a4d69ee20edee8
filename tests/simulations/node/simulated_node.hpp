// A whole node of the cluster, with the accounts of the banking context, on a machine of a world,
// and HTTP calls to it from outside.
#pragma once

#include <memory>
#include <string>

#include "cluster/node.hpp"
#include "simulations/world/world.hpp"

namespace troupe::simulations {

class BankNode final : public SimulatedProcess {
 public:
  // Name n1, gateway on n1:8080; small log segments and frequent checkpoints.
  // `services` outlives the world.
  static StartProcess start(
      const actors::ServiceRegistry& services = actors::ServiceRegistry::global());

  void stop() override {
    node_->stop([] {});
  }
  bool ready() const { return node_->ready(); }

 private:
  explicit BankNode(std::unique_ptr<cluster::Node> node) : node_(std::move(node)) {}
  std::unique_ptr<cluster::Node> node_;
};

inline constexpr const char* open_body = R"({"owner":"Ann","currency":"EUR"})";
inline constexpr const char* one_cent = R"({"amount":{"currency":"EUR","minorUnits":"1"}})";

struct Answer {
  int status = 0;  // 0: no connection, or it ended without an answer
  std::string body;
  std::string head;  // status line and headers

  // Of a header, empty: there is none.
  std::string header(const std::string& name) const;
};

// One request on a connection of its own to port 8080 of a machine; runs the world until its end,
// at most 30 s.
Answer get(World& world, const std::string& path, const std::string& machine = "n1");
Answer post(World& world, const std::string& path, const std::string& idempotency_key,
            const std::string& body, const std::string& machine = "n1");

// The same to the admin address, port 7480.
Answer ask_admin(World& world, const std::string& path, const std::string& machine);
Answer order_admin(World& world, const std::string& path, const std::string& body,
                   const std::string& machine);
// Does not wait for the answer.
void begin_order(World& world, const std::string& path, const std::string& body,
                 const std::string& machine);

}  // namespace troupe::simulations
