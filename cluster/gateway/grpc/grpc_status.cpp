#include "cluster/gateway/grpc/grpc_status.hpp"

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace troupe::cluster {

runtime::RpcStatus rpc_status(const Error& error) {
  google::rpc::Status status;
  status.set_code(static_cast<int>(error.code));
  status.set_message(error.message);
  google::rpc::ErrorInfo info;
  info.set_reason(error.reason);
  info.set_domain("troupe");
  status.add_details()->PackFrom(info);
  if (error.retry_after) {
    google::rpc::RetryInfo retry;
    const auto whole = std::chrono::floor<std::chrono::seconds>(*error.retry_after);
    retry.mutable_retry_delay()->set_seconds(whole.count());
    retry.mutable_retry_delay()->set_nanos(static_cast<int>((*error.retry_after - whole).count()));
    status.add_details()->PackFrom(retry);
  }
  return {error.code, error.message, status.SerializeAsString()};
}

}  // namespace troupe::cluster
