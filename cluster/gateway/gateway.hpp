// The door for clients: every rpc with a google.api.http rule, served over HTTP.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "actors/client.hpp"
#include "cluster/gateway/api.hpp"
#include "cluster/gateway/http/http_options.hpp"
#include "cluster/gateway/http/http_server.hpp"
#include "config/manifest.hpp"

namespace troupe::cluster {

struct GatewayOptions {
  runtime::Address listen;
  HttpLimits limits;
  Duration call_timeout = std::chrono::seconds{10};
  config::Cors cors = {};
  config::GatewayTls tls = {};                     // the node's own files
  std::string title = "Troupe";                    // of the OpenAPI document
  std::shared_ptr<Admission> admission = nullptr;  // the node's; null: every call is let in

  static GatewayOptions from(const config::Manifest& manifest, const config::Node& node,
                             runtime::Address listen);
};

// The limits that the manifest sets; the admin server has them, too.
HttpLimits http_limits(const config::Gateway& manifest);

class Gateway {
 public:
  // Errors are those of Routes::make, Network::listen and Network::load_security. Platform, client
  // and services outlive the gateway; the platform also every call that it has made.
  static Result<std::unique_ptr<Gateway>> start(
      runtime::Platform& platform, actors::Client& client,
      const std::vector<const actors::ServiceType*>& services, const GatewayOptions& options);

  const runtime::Address& local() const { return server_->local(); }
  const Routes& routes() const { return *routes_; }

  // As HttpServer::stop. Destruction cuts off what is left.
  void stop(Duration deadline, std::function<void()> done) {
    server_->stop(deadline, std::move(done));
  }

 private:
  Gateway() = default;

  std::shared_ptr<const Routes> routes_;
  std::unique_ptr<Api> api_;
  std::unique_ptr<HttpServer> server_;  // last: its destruction ends the use of the others
};

}  // namespace troupe::cluster
