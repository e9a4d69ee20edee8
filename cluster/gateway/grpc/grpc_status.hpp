// Errors as gRPC's clients see them: the canonical code, the message, and in the metadata
// `grpc-status-details-bin` a google.rpc.Status with an ErrorInfo (the reason, in the domain
// "troupe") and, if a retry makes sense, a RetryInfo.
#pragma once

#include "runtime/error.hpp"
#include "runtime/platform/rpc.hpp"

namespace troupe::cluster {

runtime::RpcStatus rpc_status(const Error& error);

}  // namespace troupe::cluster
