#include "cluster/gateway/gateway.hpp"

#include <algorithm>
#include <utility>

#include "cluster/gateway/http/entity_tag.hpp"
#include "cluster/gateway/http/http_telemetry.hpp"
#include "cluster/gateway/http/overdue.hpp"
#include "cluster/gateway/openapi.hpp"

namespace troupe::cluster {

HttpLimits http_limits(const config::Gateway& manifest) {
  HttpLimits limits;
  limits.connections_max = manifest.connections;
  limits.header_bytes_max = manifest.header_bytes;
  limits.target_bytes_max = std::min<std::size_t>(limits.target_bytes_max, manifest.header_bytes);
  limits.body_bytes_max = manifest.body_bytes;
  limits.header_time = manifest.header_timeout;
  limits.body_time = manifest.body_timeout;
  limits.answer_time = manifest.request_timeout + overdue_after;
  limits.write_time = manifest.write_timeout;
  limits.idle_time = manifest.idle_timeout;
  return limits;
}

GatewayOptions GatewayOptions::from(const config::Manifest& manifest, const config::Node& node,
                                    runtime::Address listen) {
  const config::Gateway& gateway = manifest.gateway;
  GatewayOptions options;
  options.listen = std::move(listen);
  options.limits = http_limits(gateway);
  options.limits.stop_linger = std::chrono::seconds{1};
  options.call_timeout = gateway.request_timeout;
  options.cors = gateway.cors;
  options.tls = manifest.gateway_tls_of(node);
  options.title = manifest.cluster.name;
  return options;
}

Result<std::unique_ptr<Gateway>> Gateway::start(
    runtime::Platform& platform, actors::Client& client,
    const std::vector<const actors::ServiceType*>& services, const GatewayOptions& options) {
  TROUPE_TRY(routes, Routes::make(services));
  std::unique_ptr<Gateway> gateway{new Gateway};
  gateway->routes_ = std::move(routes);
  ApiOptions api{options.call_timeout, Cors{options.cors}, {}};
  if (options.admission) api.admission = options.admission;
  api.document.text = openapi(*gateway->routes_, {options.title, openapi_version});
  api.document.tag = entity_tag(api.document.text);
  gateway->api_ =
      std::make_unique<Api>(client, platform.random(), gateway->routes_, std::move(api));
  HttpServerOptions server_options = observed(platform, "gateway", options.limits);
  server_options.limits.refusals_max *= platform.processors();
  if (options.tls.on()) {
    TROUPE_TRY(security, platform.network().load_security(
                             {{}, {}, options.tls.certificate, options.tls.key, {}}));
    server_options.security = std::move(security);
  }
  TROUPE_TRY(server,
             HttpServer::listen(platform, options.listen, std::move(server_options),
                                [api = gateway->api_.get()](HttpRequest request, Respond respond) {
                                  api->handle(std::move(request), std::move(respond));
                                }));
  gateway->server_ = std::move(server);
  return gateway;
}

}  // namespace troupe::cluster
