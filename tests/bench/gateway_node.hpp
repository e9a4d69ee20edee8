// `troupe up` as a user starts it: one node with its gateway, gRPC, and 10,000 accounts.
#pragma once

#include <memory>
#include <string>

#include "tests/bench/figure.hpp"
#include "tests/bench/process.hpp"
#include "tests/bench/wrk.hpp"

namespace troupe::bench {

class GatewayNode {
 public:
  // `settings`: what comes after `[service_defaults]` in the manifest. Throws std::runtime_error.
  explicit GatewayNode(const Options& options, const std::string& settings = "shards = 4\n");
  ~GatewayNode();
  unsigned short port() const { return port_; }
  unsigned short grpc_port() const { return grpc_port_; }

  std::unique_ptr<WrkScripts> scripts;
  std::unique_ptr<Server> server;

 private:
  bool has(int account) const;

  const std::string folder_;
  const unsigned short port_;
  const unsigned short grpc_port_;
};

}  // namespace troupe::bench
