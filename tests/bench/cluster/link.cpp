// Request and response over one link between two processes, 100 bytes each way.
#include "tests/bench/cluster/echo.hpp"

namespace troupe::bench {
namespace {

constexpr std::size_t echo_bytes = 100;
const std::string secured = "none; our link with TLS 1.3, the yardstick's plain";

std::vector<Figure> link_64(const Options& options) {
  Figure caf{"link_64.rate_over_caf",
             "requests/s",
             secured,
             {},
             "CAF 0.17 caf::io, plain, 64 in flight",
             {},
             1.5,
             0,
             false};
  Figure grpc{"link_64.rate_over_grpc",
              "requests/s",
              secured,
              {},
              "gRPC C++ 1.51, plain, asynchronous unary calls on one channel, 64 in flight",
              {},
              3,
              0,
              false};
  Figure cpu{
      "link_64.cpu", "us of processor time per request, both processes", secured, {}, "", {}, 0, 0,
      true};
  const auto ours = mesh_echo(options);
  const auto caf_loop = caf_echo(options);
  const auto grpc_loop = grpc_echo(options);
  for (EchoLoop* loop : {ours.get(), caf_loop.get(), grpc_loop.get()})
    loop->run(64, 0.3, echo_bytes);
  for (int run = 0; run < options.runs; ++run) {
    const LoopResult mesh = ours->run(64, options.seconds, echo_bytes);
    caf.ours.runs.push_back(mesh.rate);
    grpc.ours.runs.push_back(mesh.rate);
    cpu.ours.runs.push_back(mesh.cpu_us);
    caf.theirs.runs.push_back(caf_loop->run(64, options.seconds, echo_bytes).rate);
    grpc.theirs.runs.push_back(grpc_loop->run(64, options.seconds, echo_bytes).rate);
    progress("run " + std::to_string(run + 1) + ": " +
             std::to_string(static_cast<long>(mesh.rate)) + "/s, CAF " +
             std::to_string(static_cast<long>(caf.theirs.runs.back())) + "/s, gRPC " +
             std::to_string(static_cast<long>(grpc.theirs.runs.back())) + "/s");
  }
  return {caf, grpc, cpu};
}

std::vector<Figure> link_lone(const Options& options) {
  Figure cpu{"link_lone.cpu_over_grpc",
             "us of processor time per request, both processes",
             secured,
             {},
             "gRPC C++ 1.51, plain, one asynchronous unary call in flight",
             {},
             1,
             0,
             true};
  Figure latency{"link_lone.p50_over_grpc", "us", secured, {}, "the same", {}, 0, 0, true};
  const auto ours = mesh_echo(options);
  const auto theirs = grpc_echo(options);
  for (EchoLoop* loop : {ours.get(), theirs.get()}) loop->run(1, 0.3, echo_bytes);
  for (int run = 0; run < options.runs; ++run) {
    const LoopResult mesh = ours->run(1, options.seconds, echo_bytes);
    const LoopResult grpc = theirs->run(1, options.seconds, echo_bytes);
    cpu.ours.runs.push_back(mesh.cpu_us);
    cpu.theirs.runs.push_back(grpc.cpu_us);
    latency.ours.runs.push_back(mesh.percentile(0.5));
    latency.theirs.runs.push_back(grpc.percentile(0.5));
  }
  return {cpu, latency};
}

}  // namespace

std::vector<NamedPart> link_parts() {
  return {{"link_64", "64 requests in flight over a link, over CAF and gRPC", link_64},
          {"link_lone", "processor time of a lone request over a link, over gRPC", link_lone}};
}

}  // namespace troupe::bench
