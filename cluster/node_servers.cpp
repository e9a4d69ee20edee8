#include "cluster/node_servers.hpp"

#include <stdexcept>

#include "cluster/gateway/gateway.hpp"

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
  if (!node.gateway) return servers;

  const auto types = types_of(registry);
  const auto bind_gateway = [&platform, &client, types, manifest,
                             node](const runtime::Address& address) {
    return Gateway::start(platform, client, types, GatewayOptions::from(manifest, node, address));
  };
  TROUPE_TRY(gateway, bind_gateway(address_of(*node.gateway)));
  servers.gateway_address = gateway->local();
  servers.gateway = once_then_again<Gateway>(
      std::move(gateway),
      [bind_gateway, address = *servers.gateway_address] { return bind_gateway(address); });
  return servers;
}

}  // namespace troupe::cluster
