// How two nodes greet each other, as values: what a node says, and whom it refuses.
//
// The side that dialled says hello; the other checks it, decides whether it wants this link
// (mesh_link.hpp), and says hello or a refusal; the first checks in turn and says ready or a
// refusal. Whoever refuses closes; both sides know why.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cluster/mesh/mesh_options.hpp"
#include "runtime/result.hpp"
#include "runtime/wire/mesh.pb.h"

namespace troupe::cluster {

wire::MeshHello make_hello(const MeshOptions& ours);

// A hello as bytes of a frame, or FRAME_MALFORMED; PEER_NOT_A_NODE if it lacks the magic number.
Result<wire::MeshHello> parse_hello(std::string_view payload);

struct Agreement {
  std::uint32_t version = 0;  // the highest that both speak
};

// Refuses, in this order: VERSION_UNSUPPORTED (failed_precondition), CLUSTER_FOREIGN,
// IDENTITY_WRONG (permission_denied; `proven` is what the stream has proved), PEER_IS_SELF,
// PEER_MISTAKEN (failed_precondition: it is not, or does not look for, who it should).
Result<Agreement> check_hello(const MeshOptions& ours, const wire::MeshHello& theirs,
                              const std::optional<std::string>& proven);

std::string refusal_bytes(const Error& why);
// An error for whatever bytes there are; its text is cut to a bound.
Error parse_refusal(std::string_view payload);

}  // namespace troupe::cluster
