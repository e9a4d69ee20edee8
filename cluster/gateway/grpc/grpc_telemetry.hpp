// What the door tells about its calls: troupe_grpc_requests_total{method,code} and
// troupe_grpc_request_seconds{method}. Methods are those of contracts alone, so their number stays
// bounded; calls of others count with an empty one.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "runtime/error.hpp"
#include "runtime/telemetry/metrics.hpp"
#include "runtime/time.hpp"

namespace troupe::cluster {

// Any thread.
class GrpcTelemetry {
 public:
  explicit GrpcTelemetry(runtime::Metrics& metrics) : metrics_{metrics} {}

  // "banking.v1.Accounts/Deposit"
  void observe(const std::string& method, Code code, Duration took);

 private:
  struct Entry {
    runtime::Counter* requests = nullptr;
    runtime::Histogram* seconds = nullptr;
  };

  runtime::Metrics& metrics_;
  std::mutex mutex_;
  std::map<std::pair<std::string, Code>, Entry> entries_;
};

}  // namespace troupe::cluster
