// What clients of gRPC get: unary reads over the gRPC door, beside gRPC's own C++ server that
// echoes as many bytes. One client for both, in this process: a generic stub on a few connections,
// with threads that share the two cores with the server.
#include <absl/synchronization/mutex.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <thread>

#include "banking/v1/accounts.pb.h"
#include "echo.pb.h"
#include "tests/bench/cluster/echo.hpp"
#include "tests/bench/gateway_node.hpp"

namespace troupe::bench {
namespace {

constexpr int calls_in_flight = 64;
constexpr int connections = 4;
constexpr int client_threads = 2;

grpc::ByteBuffer buffer_of_bytes(const std::string& bytes) {
  const grpc::Slice slice{bytes};
  return {&slice, 1};
}

class GrpcClient {
 public:
  GrpcClient(unsigned short port, std::string method, const std::string& request)
      : method_(std::move(method)), request_(buffer_of_bytes(request)) {
    absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);  // as in the servers
    for (int i = 0; i < connections; ++i) {
      grpc::ChannelArguments own;  // without a pool of its own channels share a connection
      own.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
      stubs_.push_back(std::make_unique<grpc::GenericStub>(grpc::CreateCustomChannel(
          "127.0.0.1:" + std::to_string(port), grpc::InsecureChannelCredentials(), own)));
    }
  }

  // One call; the length of its answer.
  std::size_t once() { return loop(0, 1, 0).bytes; }

  LoopResult run(double seconds) {
    std::vector<Part> parts(client_threads);
    std::vector<std::thread> threads;
    const double cpu = own_cpu_seconds();
    const auto start = Clock::now();
    for (int i = 0; i < client_threads; ++i)
      threads.emplace_back([this, i, seconds, &part = parts[static_cast<std::size_t>(i)]] {
        part = loop(i, calls_in_flight / client_threads, seconds);
      });
    for (std::thread& thread : threads) thread.join();
    LoopResult result;
    result.seconds = since(start);
    for (Part& part : parts) {
      if (!part.failure.empty()) throw std::runtime_error("a call failed: " + part.failure);
      result.latency_us.insert(result.latency_us.end(), part.latency_us.begin(),
                               part.latency_us.end());
    }
    std::sort(result.latency_us.begin(), result.latency_us.end());
    const auto count = static_cast<double>(result.latency_us.size());
    result.rate = count / result.seconds;
    result.cpu_us = (own_cpu_seconds() - cpu) * 1e6 / count;
    return result;
  }

 private:
  struct Call {
    grpc::ClientContext context;
    std::unique_ptr<grpc::GenericClientAsyncResponseReader> reader;
    grpc::ByteBuffer response;
    grpc::Status status;
    Clock::time_point begin;
  };
  struct Part {
    std::vector<double> latency_us;
    std::size_t bytes = 0;
    std::string failure;
  };

  // On a completion queue of its own. Each thread has its share of the connections.
  Part loop(int thread, int callers, double seconds) {
    grpc::CompletionQueue queue;
    std::vector<std::unique_ptr<Call>> calls(static_cast<std::size_t>(callers));
    const auto send = [&](std::size_t index) {
      auto call = std::make_unique<Call>();
      call->begin = Clock::now();
      const std::size_t place = index * client_threads + static_cast<std::size_t>(thread);
      call->reader = stubs_[place % stubs_.size()]->PrepareUnaryCall(&call->context, method_,
                                                                     request_, &queue);
      call->reader->StartCall();
      call->reader->Finish(&call->response, &call->status, reinterpret_cast<void*>(index));
      calls[index] = std::move(call);
    };
    Part part;
    const auto start = Clock::now();
    for (std::size_t index = 0; index < calls.size(); ++index) send(index);
    std::size_t running = calls.size();
    void* tag = nullptr;
    bool ok = false;
    while (running > 0 && queue.Next(&tag, &ok)) {
      const auto index = reinterpret_cast<std::size_t>(tag);
      const Call& call = *calls[index];
      part.latency_us.push_back(since(call.begin) * 1e6);
      part.bytes = call.response.Length();
      if (!ok || !call.status.ok() || part.bytes == 0)
        part.failure = call.status.error_message() + " (gRPC)";
      if (part.failure.empty() && since(start) < seconds)
        send(index);
      else
        --running;
    }
    queue.Shutdown();
    while (queue.Next(&tag, &ok)) {
    }
    return part;
  }

  const std::string method_;
  const grpc::ByteBuffer request_;
  std::vector<std::unique_ptr<grpc::GenericStub>> stubs_;
};

struct Measured {
  LoopResult loop;
  double server_us = 0;  // processor time of the server per answer
};

Measured measure(GrpcClient& client, const Server& server, double seconds) {
  const double before = server.cpu_seconds();
  Measured measured{client.run(seconds), 0};
  measured.server_us =
      (server.cpu_seconds() - before) * 1e6 / static_cast<double>(measured.loop.latency_us.size());
  return measured;
}

std::vector<Figure> grpc_reads(const Options& options) {
  const std::string yardstick = "gRPC C++ 1.51 echo, as many bytes, one thread per core";
  Figure rate{"grpc_reads.rate_over_grpc", "reads/s", "", {}, yardstick, {}, 0.7, 0, false};
  Figure cpu{"grpc_reads.cpu_over_grpc",
             "us of processor time per read",
             "",
             {},
             yardstick,
             {},
             0,
             0,
             true};
  Figure p99{"grpc_reads.p99_over_grpc", "us", "", {}, yardstick, {}, 0, 0, true};

  const GatewayNode node{options};
  banking::v1::GetRequest read;
  read.set_account("a77");
  GrpcClient ours{node.grpc_port(), "/banking.v1.Accounts/Get", read.SerializeAsString()};
  wire::Payload echoed;
  echoed.set_bytes(std::string(ours.once(), 'x'));
  std::vector<std::pair<std::unique_ptr<Server>, std::unique_ptr<GrpcClient>>> echoes;
  // Whichever of its ways is the fastest on this machine.
  for (std::vector<std::string> words :
       {std::vector<std::string>{"grpc", "", "2"}, std::vector<std::string>{"grpc", "", "1"},
        std::vector<std::string>{"grpc_callbacks", ""}}) {
    if (options.ours_only) break;
    const unsigned short port = free_port();
    words[1] = std::to_string(port);
    auto server = echo_server(options, words);
    echoes.emplace_back(std::move(server),
                        std::make_unique<GrpcClient>(port, "/troupe.bench.wire.Echo/Call",
                                                     echoed.SerializeAsString()));
  }
  ours.run(0.5);
  for (auto& [server, client] : echoes) client->run(0.5);
  for (int run = 0; run < options.runs; ++run) {
    const Measured mine = measure(ours, *node.server, options.seconds);
    rate.ours.runs.push_back(mine.loop.rate);
    cpu.ours.runs.push_back(mine.server_us);
    p99.ours.runs.push_back(mine.loop.percentile(0.99));
    std::string text = "run " + std::to_string(run + 1) + ": " +
                       std::to_string(static_cast<long>(mine.loop.rate)) + " reads/s, client " +
                       std::to_string(mine.loop.cpu_us) + " us, server " +
                       std::to_string(mine.server_us) + " us; echo";
    Measured best{};
    for (auto& [server, client] : echoes) {
      Measured theirs = measure(*client, *server, options.seconds);
      text += " " + std::to_string(static_cast<long>(theirs.loop.rate)) + "/s, client " +
              std::to_string(theirs.loop.cpu_us) + " us, server " +
              std::to_string(theirs.server_us) + " us;";
      if (theirs.loop.rate > best.loop.rate) best = std::move(theirs);
    }
    rate.theirs.runs.push_back(best.loop.rate);
    cpu.theirs.runs.push_back(best.server_us);
    p99.theirs.runs.push_back(best.loop.percentile(0.99));
    progress(text);
  }
  return {rate, cpu, p99};
}

}  // namespace

std::vector<NamedPart> grpc_parts() {
  return {{"grpc_reads", "unary reads of one account over gRPC, 64 in flight on 4 connections",
           grpc_reads}};
}

}  // namespace troupe::bench
