// Errors over HTTP: every one is a problem document (RFC 9457), whoever makes it.
//
//   {"type":"urn:troupe:error:INSUFFICIENT_FUNDS","title":"Insufficient funds","status":400,
//    "detail":"the balance is 3 EUR","code":"FAILED_PRECONDITION","reason":"INSUFFICIENT_FUNDS",
//    "instance":"urn:troupe:trace:4bf92f3577b34da6a3ce929d0e0e4736"}
//
// `type` and `reason` say the same; programs compare either. Each reason of ours has a section in
// docs/errors/.
#pragma once

#include <string_view>

#include "cluster/gateway/http/http_message.hpp"
#include "runtime/error.hpp"

namespace troupe::cluster {

// The table of google/rpc/code.proto, with three refinements by reason: IDEMPOTENCY_KEY_REUSED is
// 422 (the draft of the Idempotency-Key header), VERSION_MISMATCH 412 and DISK_FULL 507.
unsigned http_status(const Error& error);

// Retry-After (whole seconds, rounded up) is set from error.retry_after. `trace` is a W3C trace id,
// or empty.
HttpResponse problem(const Error& error, std::string_view trace = {});

// The same under a status that no canonical code maps to, such as 405.
HttpResponse problem(unsigned status, const Error& error, std::string_view trace = {});

}  // namespace troupe::cluster
