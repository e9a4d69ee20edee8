// A node inside the bench's own process, and closed loops of callers against it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "actors/client.hpp"
#include "cluster/node.hpp"
#include "config/manifest.hpp"
#include "tests/bench/figure.hpp"

namespace troupe::bench {

config::Manifest bench_manifest(const std::string& data_folder);

class BenchNode {
 public:
  // Starts the node and waits until it serves. Throws std::runtime_error if it cannot.
  explicit BenchNode(const config::Manifest& manifest);
  ~BenchNode();  // stops in good order
  actors::Client& client() { return node_->client(); }
  runtime::Platform& platform() { return *platform_; }

 private:
  std::unique_ptr<runtime::Platform> platform_;
  std::unique_ptr<cluster::Node> node_;
};

struct LoopResult {
  double seconds = 0;
  double rate = 0;                 // answers a second
  double cpu_us = 0;               // of the whole process, per answer
  double written_bytes = 0;        // per answer
  std::vector<double> latency_us;  // sorted
  double percentile(double p) const;
};

// Says that a call has been answered, on the thread that brought the answer; empty: it went well.
using CallDone = std::function<void(const std::string& failure)>;

// `callers` closed loops: each begins its next call when its last one is done. Throws if one fails.
LoopResult run_calls(
    int callers, double seconds,
    const std::function<void(int caller, std::uint64_t number, CallDone done)>& begin);

// The same with calls of a service: each sends the next call when its reply has come, on the thread
// that brought it. Throws if a call fails.
LoopResult run_loop(actors::Client& client, int callers, double seconds,
                    const std::function<actors::CallBase(int caller, std::uint64_t number)>& next);

// Sends `count` calls, so many in flight, and waits for all.
void run_all(actors::Client& client, std::uint64_t count, int in_flight,
             const std::function<actors::CallBase(std::uint64_t number)>& next);

// The service under test: accounts "a0", "a1", ...
actors::CallBase open_account(std::uint64_t number);
actors::CallBase deposit(std::uint64_t number, std::int64_t amount);
actors::CallBase get_account(std::uint64_t number);

}  // namespace troupe::bench
