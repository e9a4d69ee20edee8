// The addresses on which a node listens. They are bound before anything else starts, so that a port
// that is taken is an error at start and not a restart loop; the actors of the supervision tree
// then take the servers over, and make new ones if they are restarted.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "actors/client.hpp"
#include "actors/service.hpp"
#include "cluster/gateway/admin.hpp"
#include "cluster/gateway/admission.hpp"
#include "cluster/server_actor.hpp"
#include "config/manifest.hpp"

namespace troupe::cluster {

runtime::Address address_of(const config::Address& address);

struct NodeServers {
  // Platform, client and source outlive the servers. Both doors for clients share the admission.
  // The gateways have the methods of every service of the registry, also of those that do not run
  // here: the client says where they are, or are not.
  static Result<NodeServers> listen(runtime::Platform& platform, const config::Manifest& manifest,
                                    const config::Node& node, actors::Client& client,
                                    const actors::ServiceRegistry& registry, AdminSource& source,
                                    const std::shared_ptr<Admission>& admission);

  // As bound.
  std::optional<runtime::Address> gateway_address;
  std::optional<runtime::Address> grpc_address;
  runtime::Address admin_address;

  // The server that was bound first, or a new one on the same address. Throws std::runtime_error if
  // it cannot listen, which the supervisor takes as a failed start.
  std::function<std::shared_ptr<Server>()> gateway;
  std::function<std::shared_ptr<Server>()> grpc;
  std::function<std::shared_ptr<Server>()> admin;

  // To be called when the node may have become ready: who watches its health over gRPC hears it.
  std::function<void()> readiness_changed = [] {};

 private:
  using ServiceTypes = std::vector<const actors::ServiceType*>;
  Result<void> listen_http(runtime::Platform& platform, const config::Manifest& manifest,
                           const config::Node& node, actors::Client& client,
                           const ServiceTypes& types, const std::shared_ptr<Admission>& admission);
  Result<void> listen_grpc(runtime::Platform& platform, const config::Manifest& manifest,
                           const config::Node& node, actors::Client& client,
                           const ServiceTypes& types, AdminSource& source,
                           const std::shared_ptr<Admission>& admission);
};

}  // namespace troupe::cluster
