// What the headers of a request say about the call that it becomes; for HTTP, and for gRPC, whose
// metadata are headers, too (docs/http.md, docs/grpc.md).
#pragma once

#include <vector>

#include "actors/client.hpp"
#include "actors/service.hpp"
#include "cluster/gateway/http/http_message.hpp"
#include "runtime/telemetry/trace.hpp"

namespace troupe::cluster {

// The client's trace if it sent one that is valid, else a new one.
runtime::TraceContext trace_of(const HttpRequest& request, runtime::Random& random);

// The message id, the version wanted and whether a stale answer will do. One key names the same
// command whichever way it comes. Errors are those of idempotency_key(), and INVALID_ARGUMENT with
// CONDITION_UNSUPPORTED or CONDITION_INVALID.
Result<actors::CallOptions> call_options(const HttpRequest& request,
                                         const actors::MethodType& method);

// What an answer says about its reply, beside its entity tag: docs/http.md.
std::vector<HttpHeader> reply_headers(const actors::ServiceType& service,
                                      const actors::Reply& reply);

}  // namespace troupe::cluster
