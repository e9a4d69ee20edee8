#include "cluster/node_links.hpp"

#include <utility>

#include "cluster/mesh/frame.hpp"
#include "cluster/node_servers.hpp"
#include "cluster/replication/raft_files.hpp"
#include "cluster/replication/raft_group.hpp"
#include "runtime/security/identity.hpp"

namespace troupe::cluster {
namespace {

bool alone(const config::Manifest& manifest) {
  return manifest.nodes.size() == 1;
}

Result<std::shared_ptr<runtime::Security>> security_of(runtime::Platform& platform,
                                                       const config::Manifest& manifest,
                                                       const config::Node& node) {
  if (manifest.cluster.tls.on()) {
    const config::Tls tls = manifest.tls_of(node);
    return platform.network().load_security(
        {manifest.cluster.name, tls.authority, tls.certificate, tls.key, tls.revoked});
  }
  if (alone(manifest)) return std::shared_ptr<runtime::Security>{};
  platform.log().warn("mesh.plain_text",
                      "links between nodes are plain text, and whoever reaches this address is "
                      "believed: only for trying things out on one machine. Write [cluster.tls]",
                      {{"mesh", node.mesh.to_string()}});
  return std::shared_ptr<runtime::Security>{};
}

}  // namespace

Result<void> NodeLinks::listen(const config::Manifest& manifest, const config::Node& node,
                               const std::string& cluster_id, Router& router) {
  TROUPE_TRY(security, security_of(platform_, manifest, node));
  MeshOptions options;
  options.cluster = cluster_id;
  options.node = node.name;
  options.incarnation = incarnation_ = platform_.random().next();
  // Others may join a node that began alone, but not by plain text over a network.
  if (security || !alone(manifest) || node.mesh.loopback())
    options.listen = address_of(node.mesh);
  else
    platform_.log().info("mesh.closed",
                         "no node can join this one: links over a network need [cluster.tls]",
                         {{"mesh", node.mesh.to_string()}});
  for (const config::Node& other : manifest.nodes)
    if (other.name != node.name) options.peers[other.name] = address_of(other.mesh);
  if (security) {
    options.security = security;
    options.proven_name = [cluster = manifest.cluster.name](
                              const runtime::Stream& stream) -> std::optional<std::string> {
      const auto identity = runtime::NodeIdentity::parse(stream.peer_identity());
      // The network lets no other cluster in; this name is none that a node can claim.
      return identity && identity->cluster == cluster ? identity->node : std::string{};
    };
  }
  TROUPE_TRY(mesh, Mesh::listen(platform_, std::move(options)));
  const auto received = [this](const std::string& from, const MeshMessage& message) {
    exchange_.received(from, message.bytes);
  };
  mesh->on(FrameKind::raft, received);
  mesh->on(FrameKind::transfer, received);
  mesh->on_link([this](const std::string& peer, bool up) { exchange_.link_changed(peer, up); });
  mesh->on_call(FrameKind::command, [&router](const IncomingCall& call) {
    if (!call.begin()) return;
    router.serve(call.bytes(), call.deadline(),
                 [call](std::string reply) { call.answer(std::move(reply)); });
  });
  mesh_ = std::move(mesh);
  router.reach([mesh = mesh_.get()](const std::string& to, std::string bytes,
                                    MonotonicTime deadline,
                                    std::function<void(Result<std::string>)> answer) {
    mesh->call(to, FrameKind::command, std::move(bytes), deadline, std::move(answer));
  });
  return {};
}

// An entry, and a piece of a file, go in one frame.
static_assert(replicated_entry_bytes_max + (4u << 10) <=
              payload_bytes_max(cluster::Lane::consensus));
static_assert(RaftFileOptions{}.chunk_bytes + (4u << 10) <= payload_bytes_max(cluster::Lane::bulk));

// What cannot be sent is lost, which groups cope with.
void NodeLinks::send(const std::string& node, RaftTransport::Lane lane, std::string bytes) {
  const bool bulk = lane == RaftTransport::Lane::bulk;
  static_cast<void>(mesh_->send(node, bulk ? cluster::Lane::bulk : cluster::Lane::consensus,
                                bulk ? FrameKind::transfer : FrameKind::raft, std::move(bytes)));
}

}  // namespace troupe::cluster
