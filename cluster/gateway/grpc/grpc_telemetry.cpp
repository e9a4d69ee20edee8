#include "cluster/gateway/grpc/grpc_telemetry.hpp"

namespace troupe::cluster {

void GrpcTelemetry::observe(const std::string& method, Code code, Duration took) {
  const std::lock_guard guard{mutex_};
  auto found = entries_.find(std::pair<std::string_view, Code>{method, code});
  if (found == entries_.end()) found = entries_.try_emplace({method, code}).first;
  Entry& entry = found->second;
  if (entry.requests == nullptr) {
    entry.requests =
        &metrics_.counter("troupe_grpc_requests_total", "gRPC calls answered.",
                          {{"method", method}, {"code", std::string{to_string(code)}}});
    entry.seconds = &metrics_.histogram(
        "troupe_grpc_request_seconds", "From a call's beginning to its answer.",
        {{"method", method}},
        {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10});
  }
  entry.requests->add();
  entry.seconds->observe(std::chrono::duration<double>(took).count());
}

}  // namespace troupe::cluster
