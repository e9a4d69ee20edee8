#include "cluster/node_servers.hpp"

#include <stdexcept>

#include "cluster/gateway/gateway.hpp"
#include "cluster/gateway/grpc/grpc_door.hpp"

namespace troupe::cluster {
namespace {

template <class Kind>
class ServerOf final : public Server {
 public:
  explicit ServerOf(std::unique_ptr<Kind> server) : server_(std::move(server)) {}
  void stop(Duration deadline, std::function<void()> done) override {
    server_->stop(deadline, std::move(done));
  }

 private:
  std::unique_ptr<Kind> server_;
};

// The first call hands out what is bound already, later ones bind again.
template <class Kind>
std::function<std::shared_ptr<Server>()> once_then_again(
    std::unique_ptr<Kind> bound, std::function<Result<std::unique_ptr<Kind>>()> bind) {
  auto first = std::make_shared<std::unique_ptr<Kind>>(std::move(bound));
  return [first, bind = std::move(bind)]() -> std::shared_ptr<Server> {
    if (*first) return std::make_shared<ServerOf<Kind>>(std::move(*first));
    auto again = bind();
    if (!again) throw std::runtime_error(again.error().describe());
    return std::make_shared<ServerOf<Kind>>(*std::move(again));
  };
}

}  // namespace

runtime::Address address_of(const config::Address& address) {
  return {address.host, address.port};
}

Result<NodeServers> NodeServers::listen(runtime::Platform& platform,
                                        const config::Manifest& manifest, const config::Node& node,
                                        actors::Client& client,
                                        const actors::ServiceRegistry& registry,
                                        AdminSource& source) {
  NodeServers servers;
  const HttpLimits limits = http_limits(manifest.gateway);
  const auto bind_admin = [&platform, &source, limits](const runtime::Address& address) {
    return AdminServer::start(platform, source, address, limits);
  };
  TROUPE_TRY(admin, bind_admin(address_of(node.admin)));
  servers.admin_address = admin->local();
  servers.admin = once_then_again<AdminServer>(
      std::move(admin),
      [bind_admin, address = servers.admin_address] { return bind_admin(address); });
  const auto types = types_of(registry);
  servers.admission = std::make_shared<Admission>(
      platform, types,
      [&manifest](const std::string& service) { return manifest.service(service).admission; });
  if (node.gateway) TROUPE_CHECK(servers.listen_http(platform, manifest, node, client, types));
  if (node.grpc) TROUPE_CHECK(servers.listen_grpc(platform, manifest, node, client, types, source));
  return servers;
}

Result<void> NodeServers::listen_http(runtime::Platform& platform, const config::Manifest& manifest,
                                      const config::Node& node, actors::Client& client,
                                      const ServiceTypes& types) {
  const auto bind = [&platform, &client, types, manifest, node,
                     admission = admission](const runtime::Address& address) {
    auto options = GatewayOptions::from(manifest, node, address);
    options.admission = admission;
    return Gateway::start(platform, client, types, options);
  };
  TROUPE_TRY(bound, bind(address_of(*node.gateway)));
  gateway_address = bound->local();
  gateway = once_then_again<Gateway>(std::move(bound),
                                     [bind, address = *gateway_address] { return bind(address); });
  return {};
}

Result<void> NodeServers::listen_grpc(runtime::Platform& platform, const config::Manifest& manifest,
                                      const config::Node& node, actors::Client& client,
                                      const ServiceTypes& types, AdminSource& source) {
  const auto health = std::make_shared<std::weak_ptr<Health>>();
  const auto bind = [&platform, &client, &source, types, manifest, node, health,
                     admission = admission](const runtime::Address& address) {
    auto options = GrpcOptions::from(manifest, node, address);
    options.admission = admission;
    auto door = GrpcDoor::start(
        platform, client, types, [&source] { return source.ready().has_value(); }, options);
    if (door) *health = (*door)->health();
    return door;
  };
  TROUPE_TRY(bound, bind(address_of(*node.grpc)));
  grpc_address = bound->local();
  grpc = once_then_again<GrpcDoor>(std::move(bound),
                                   [bind, address = *grpc_address] { return bind(address); });
  readiness_changed = [first = *health] {
    if (const auto known = first.lock()) known->look();
  };
  return {};
}

}  // namespace troupe::cluster
