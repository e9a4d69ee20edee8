// Calls of entities between nodes: runtime/wire/command.proto and what it stands for. Pure
// functions.
#pragma once

#include <string>
#include <string_view>

#include "actors/client.hpp"
#include "runtime/result.hpp"
#include "runtime/wire/command.pb.h"

namespace troupe::cluster {

// `options.id` is set for a command; the timeout does not travel.
std::string encode_command(const actors::CallBase& call, const actors::CallOptions& options,
                           std::uint32_t attempt, bool stale = false);
// INVALID_ARGUMENT / COMMAND_MALFORMED.
Result<wire::Command> decode_command(std::string_view bytes);
// What the id of a decoded command is.
actors::MessageId id_of(const wire::Command& command);

struct RemoteReply {
  Result<actors::Reply> reply;
  std::string leader;  // a node's name, empty: not known
};
std::string encode_reply(const RemoteReply& reply);
// A malformed one is INTERNAL / REPLY_MALFORMED, in place of the reply.
RemoteReply decode_reply(std::string_view bytes);

}  // namespace troupe::cluster
