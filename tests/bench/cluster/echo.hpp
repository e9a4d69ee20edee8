// Servers that answer a request with its own bytes, each in a process of its own, and closed loops
// of callers over one connection with them: Troupe's mesh and what it is measured against.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/bench/figure.hpp"
#include "tests/bench/fixture.hpp"
#include "tests/bench/process.hpp"

namespace troupe::bench {

// Callers of one server. `LoopResult::cpu_us` is the processor's time of both processes.
class EchoLoop {
 public:
  virtual ~EchoLoop() = default;
  LoopResult run(int callers, double seconds, std::size_t bytes);

 protected:
  explicit EchoLoop(std::unique_ptr<Server> server) : server_(std::move(server)) {}
  virtual LoopResult loop(int callers, double seconds, const std::string& payload) = 0;
  std::unique_ptr<Server> server_;
};

std::unique_ptr<EchoLoop> mesh_echo(
    const Options& options);  // TLS 1.3, both sides prove who they are
std::unique_ptr<EchoLoop> grpc_echo(
    const Options& options);  // plain; asynchronous, one queue a side
std::unique_ptr<EchoLoop> caf_echo(const Options& options);  // plain; caf::io, one actor a side

// A server of these words, which listens: see serve_echo().
std::unique_ptr<Server> echo_server(const Options& options, std::vector<std::string> words);

// Main function of such a server: "mesh", "grpc", "grpc_callbacks" or "caf", its port, and for the
// mesh what the loop gave it, for "grpc" the number of its threads (1). Ends at SIGTERM.
int serve_echo(const std::vector<std::string>& words);

}  // namespace troupe::bench
