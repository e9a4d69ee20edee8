// What the door tells about its calls: troupe_grpc_requests_total{method,code} and
// troupe_grpc_request_seconds{method}. Methods are those of contracts alone, so their number stays
// bounded; calls of others count with an empty one.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>
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
  struct Before {  // without a copy of the name
    using is_transparent = void;
    template <class Left, class Right>
    bool operator()(const Left& left, const Right& right) const {
      if (left.second != right.second) return left.second < right.second;
      return std::string_view{left.first} < std::string_view{right.first};
    }
  };

  runtime::Metrics& metrics_;
  std::mutex mutex_;
  std::map<std::pair<std::string, Code>, Entry, Before> entries_;
};

}  // namespace troupe::cluster
