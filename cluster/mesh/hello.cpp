#include "cluster/mesh/hello.hpp"

#include <algorithm>

#include "cluster/mesh/frame.hpp"

namespace troupe::cluster {
namespace {

constexpr std::uint64_t magic = 0x31'45'50'55'4f'52'54'2e;  // ".TROUPE1" on the wire

// Of what a stranger says, in logs and errors.
constexpr std::size_t name_bytes_max = 256;
constexpr std::size_t text_bytes_max = 1024;
constexpr int formats_max = 256;

std::string versions(std::uint32_t low, std::uint32_t high) {
  return low == high ? std::to_string(low) : std::to_string(low) + " to " + std::to_string(high);
}

}  // namespace

wire::MeshHello make_hello(const MeshOptions& ours) {
  wire::MeshHello hello;
  hello.set_magic(magic);
  hello.set_version_min(ours.version_min);
  hello.set_version_max(ours.version_max);
  hello.set_cluster(ours.cluster);
  hello.set_node(ours.node);
  hello.set_incarnation(ours.incarnation);
  hello.set_call_window(ours.call_window);
  hello.set_bulk_window(ours.bulk_window);
  return hello;
}

Result<wire::MeshHello> parse_hello(std::string_view payload) {
  wire::MeshHello hello;
  if (!hello.ParseFromArray(payload.data(), static_cast<int>(payload.size())))
    return frame_malformed("a hello that cannot be parsed");
  if (hello.magic() != magic)
    return invalid_argument("PEER_NOT_A_NODE",
                            "what connected does not greet as a node of Troupe does");
  if (hello.node().empty() || hello.node().size() > name_bytes_max ||
      hello.cluster().size() > name_bytes_max || hello.dialled_node().size() > name_bytes_max)
    return frame_malformed("a hello with a name that is empty or too long");
  if (hello.formats_size() > formats_max ||
      std::ranges::any_of(hello.formats(),
                          [](const auto& one) { return one.size() > name_bytes_max; }))
    return frame_malformed(
        "a hello with too many formats, or with names of them that are too long");
  if (hello.version_min() > hello.version_max())
    return frame_malformed("a hello with a lowest version above its highest");
  return hello;
}

Result<Agreement> check_hello(const MeshOptions& ours, const wire::MeshHello& theirs,
                              const std::optional<std::string>& proven) {
  const auto& name = theirs.node();
  const auto version = std::min(ours.version_max, theirs.version_max());
  if (version < std::max(ours.version_min, theirs.version_min()))
    return failed_precondition("VERSION_UNSUPPORTED",
                               ours.node + " speaks version " +
                                   versions(ours.version_min, ours.version_max) +
                                   " of the protocol between nodes and " + name + " speaks " +
                                   versions(theirs.version_min(), theirs.version_max()) +
                                   "; upgrade by way of a release that speaks both");
  if (theirs.cluster() != ours.cluster)
    return permission_denied("CLUSTER_FOREIGN", ours.node + " belongs to cluster '" + ours.cluster +
                                                    "' and " + name + " to '" + theirs.cluster() +
                                                    "'; correct the address or the data "
                                                    "folder of the one that is wrong");
  if (proven && *proven != name)
    return permission_denied("IDENTITY_WRONG", "a node that calls itself " + name +
                                                   " has proved to be '" + *proven +
                                                   "'; give it the certificate of its own name");
  if (name == ours.node)
    return failed_precondition("PEER_IS_SELF",
                               ours.node +
                                   " reached a node of its own name; correct the address "
                                   "of the peer, or stop the second process of that name");
  if (!theirs.dialled_node().empty() && theirs.dialled_node() != ours.node)
    return failed_precondition("PEER_MISTAKEN", name + " looked for " + theirs.dialled_node() +
                                                    " at " + theirs.dialled_address() +
                                                    " and found " + ours.node +
                                                    "; correct the address");
  return Agreement{version};
}

std::string refusal_bytes(const Error& why) {
  wire::MeshRefusal refusal;
  refusal.set_code(static_cast<std::uint32_t>(why.code));
  refusal.set_reason(why.reason);
  refusal.set_message(why.message.substr(0, text_bytes_max));
  return refusal.SerializeAsString();
}

Error parse_refusal(std::string_view payload) {
  wire::MeshRefusal refusal;
  if (!refusal.ParseFromArray(payload.data(), static_cast<int>(payload.size())) ||
      refusal.code() == 0 || refusal.code() > static_cast<unsigned>(Code::unauthenticated))
    return frame_malformed("a refusal that cannot be parsed");
  return Error{static_cast<Code>(refusal.code()), refusal.reason().substr(0, text_bytes_max),
               refusal.message().substr(0, text_bytes_max)};
}

}  // namespace troupe::cluster
