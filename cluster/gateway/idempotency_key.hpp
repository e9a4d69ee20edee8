// The Idempotency-Key header (draft-ietf-httpapi-idempotency-key-header): a client that sends a
// command again under the same key gets the stored reply, and nothing is done twice.
#pragma once

#include <optional>

#include "actors/message_id.hpp"
#include "cluster/gateway/http/http_message.hpp"
#include "runtime/result.hpp"

namespace troupe::cluster {

// Nothing if there is no such header. The key is a quoted string, as the draft wants it, or the
// same text bare, as most clients send it: both name the same command. INVALID_ARGUMENT /
// IDEMPOTENCY_KEY_INVALID if it is empty, longer than 255 bytes, given twice or not that.
Result<std::optional<actors::MessageId>> idempotency_key(const HttpRequest& request);

}  // namespace troupe::cluster
