// Raft messages as bytes (runtime/wire/raft.proto). What comes from outside is not believed:
// decode() refuses what no replica could have sent, so that the rest of the group deals with sound
// shapes only; whether the content makes sense is for the engine to check.
#pragma once

#include <string>
#include <string_view>

#include "cluster/replication/raft_message.hpp"
#include "runtime/result.hpp"

namespace troupe::cluster {

std::string encode(const RaftMessage& message);

// INVALID_ARGUMENT / RAFT_MESSAGE_MALFORMED says what is wrong.
Result<RaftMessage> decode(std::string_view bytes);

}  // namespace troupe::cluster
