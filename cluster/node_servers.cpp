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

// What clients may take at most, with the eighth more of the gateway that are told so, and some for
// files and peers. The process has raised its limit as far as it may.
void check_descriptors(runtime::Platform& platform, const config::Manifest& manifest,
                       const config::Node& node) {
  constexpr std::uint64_t others = 256;
  const std::uint64_t connections = manifest.gateway.connections;
  const std::uint64_t wanted =
      (node.gateway ? connections + connections / 8 : 0) + (node.grpc ? connections : 0) + others;
  const std::uint64_t most = platform.descriptors_max();
  if (wanted <= most) return;
  platform.log().warn("node.few_descriptors",
                      "the process may not have as many descriptors open as gateway.connections "
                      "asks for; clients beyond what it may are refused. Raise the limit "
                      "(LimitNOFILE of systemd, ulimit -n) or lower gateway.connections",
                      {{"limit", most}, {"wanted", wanted}});
}

}  // namespace

runtime::Address address_of(const config::Address& address) {
  return {address.host, address.port};
}

Result<NodeServers> NodeServers::listen(runtime::Platform& platform,
                                        const config::Manifest& manifest, const config::Node& node,
                                        actors::Client& client,
                                        const actors::ServiceRegistry& registry,
                                        AdminSource& source,
                                        const std::shared_ptr<Admission>& admission) {
  NodeServers servers;
  HttpLimits limits = http_limits(manifest.gateway);
  limits.answer_time = std::chrono::minutes{2};  // some questions wait for a change, up to a minute
  const auto bind_admin = [&platform, &source, limits](const runtime::Address& address) {
    return AdminServer::start(platform, source, address, limits);
  };
  TROUPE_TRY(admin, bind_admin(address_of(node.admin)));
  servers.admin_address = admin->local();
  servers.admin = once_then_again<AdminServer>(
      std::move(admin),
      [bind_admin, address = servers.admin_address] { return bind_admin(address); });
  const auto types = types_of(registry);
  check_descriptors(platform, manifest, node);
  if (node.gateway)
    TROUPE_CHECK(servers.listen_http(platform, manifest, node, client, types, admission));
  if (node.grpc)
    TROUPE_CHECK(servers.listen_grpc(platform, manifest, node, client, types, source, admission));
  return servers;
}

Result<void> NodeServers::listen_http(runtime::Platform& platform, const config::Manifest& manifest,
                                      const config::Node& node, actors::Client& client,
                                      const ServiceTypes& types,
                                      const std::shared_ptr<Admission>& admission) {
  const auto bind = [&platform, &client, types, manifest, node,
                     admission](const runtime::Address& address) {
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
                                      const ServiceTypes& types, AdminSource& source,
                                      const std::shared_ptr<Admission>& admission) {
  const auto health = std::make_shared<std::weak_ptr<Health>>();
  const auto bind = [&platform, &client, &source, types, manifest, node, health,
                     admission](const runtime::Address& address) {
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
