// Closed loops of unary gRPC calls over one channel: the asynchronous API, one thread on the
// completion queue, which is the fastest that gRPC C++ has for unary calls here.
#pragma once

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/bench/fixture.hpp"
#include "tests/bench/process.hpp"

namespace troupe::bench {

// `prepare(context, request, queue)`: a Stub's PrepareAsync method; `fill(request, caller,
// number)`. Runs in this thread. The result's figures of the processor are this process's alone.
template <class Request, class Response, class Prepare, class Fill>
LoopResult grpc_loop(int callers, double seconds, Prepare prepare, Fill fill) {
  struct Call {
    grpc::ClientContext context;
    std::unique_ptr<grpc::ClientAsyncResponseReader<Response>> reader;
    Response response;
    grpc::Status status;
  };
  struct Caller {
    std::unique_ptr<Call> call;
    Request request;
    std::uint64_t sent = 0;
    Clock::time_point begin;
  };
  grpc::CompletionQueue queue;
  std::vector<Caller> all(static_cast<std::size_t>(callers));
  const auto send = [&](std::size_t index) {
    Caller& caller = all[index];
    fill(caller.request, static_cast<int>(index), caller.sent++);
    caller.begin = Clock::now();
    caller.call = std::make_unique<Call>();
    caller.call->reader = prepare(&caller.call->context, caller.request, &queue);
    caller.call->reader->StartCall();
    caller.call->reader->Finish(&caller.call->response, &caller.call->status,
                                reinterpret_cast<void*>(index));
  };
  LoopResult result;
  std::string failure;
  const double cpu = own_cpu_seconds();
  const auto start = Clock::now();
  for (std::size_t index = 0; index < all.size(); ++index) send(index);
  std::size_t running = all.size();
  void* tag = nullptr;
  bool ok = false;
  while (running > 0 && queue.Next(&tag, &ok)) {
    const auto index = reinterpret_cast<std::size_t>(tag);
    Caller& caller = all[index];
    result.latency_us.push_back(since(caller.begin) * 1e6);
    if (!ok || !caller.call->status.ok()) failure = caller.call->status.error_message() + " (gRPC)";
    if (failure.empty() && since(start) < seconds)
      send(index);
    else
      --running;
  }
  result.seconds = since(start);
  queue.Shutdown();
  while (queue.Next(&tag, &ok)) {
  }
  if (!failure.empty()) throw std::runtime_error("a call failed: " + failure);
  std::sort(result.latency_us.begin(), result.latency_us.end());
  const auto count = static_cast<double>(result.latency_us.size());
  result.rate = count / result.seconds;
  result.cpu_us = (own_cpu_seconds() - cpu) * 1e6 / count;
  return result;
}

}  // namespace troupe::bench
