// The door for clients of gRPC: every rpc of every service, by its contract. A request's bytes go
// to the service as they are, and the reply's bytes come back; what headers mean over HTTP,
// metadata means here (docs/grpc.md). Beside the services it has health and reflection.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "actors/client.hpp"
#include "cluster/gateway/admission.hpp"
#include "cluster/gateway/grpc/grpc_telemetry.hpp"
#include "cluster/gateway/grpc/health.hpp"
#include "cluster/gateway/grpc/reflection.hpp"
#include "cluster/gateway/http/overdue.hpp"
#include "config/manifest.hpp"
#include "runtime/platform/platform.hpp"

namespace troupe::cluster {

struct GrpcOptions {
  runtime::Address listen;
  runtime::RpcOptions server;
  Duration call_timeout = std::chrono::seconds{10};  // of calls without an earlier deadline
  std::shared_ptr<Admission> admission = nullptr;    // the node's; null: every call is let in

  static GrpcOptions from(const config::Manifest& manifest, const config::Node& node,
                          runtime::Address listen);
};

class GrpcDoor {
 public:
  // FAILED_PRECONDITION / GRPC_UNSUPPORTED on a platform that has none; else errors are those of
  // RpcServers::listen. Platform, client, services and what `ready` asks outlive the door; the
  // platform also every call that it has made.
  static Result<std::unique_ptr<GrpcDoor>> start(
      runtime::Platform& platform, actors::Client& client,
      const std::vector<const actors::ServiceType*>& services, std::function<bool()> ready,
      const GrpcOptions& options);

  const runtime::Address& local() const { return server_->local(); }
  std::shared_ptr<Health> health() const { return health_; }

  // As RpcServer::stop. Health says so first.
  void stop(Duration deadline, std::function<void()> done);

 private:
  struct Target {
    const actors::ServiceType* service = nullptr;
    std::uint32_t method = 0;
  };
  struct Answering;
  class Unary;

  GrpcDoor(runtime::Platform& platform, actors::Client& client, const GrpcOptions& options);
  std::shared_ptr<runtime::RpcHandler> accept(runtime::RpcRequest request,
                                              std::shared_ptr<runtime::RpcCall> call);

  runtime::Platform& platform_;
  actors::Client& client_;
  const Duration call_timeout_;
  const std::shared_ptr<Admission> admission_;  // not null
  const std::shared_ptr<GrpcTelemetry> telemetry_;
  const std::shared_ptr<OverdueLog> overdue_;
  std::unordered_map<std::string, Target> targets_;  // by "/package.v1.Service/Method"
  std::shared_ptr<Health> health_;
  std::shared_ptr<Reflection> reflection_;
  std::unique_ptr<runtime::RpcServer> server_;  // last: its destruction ends the use of the others
};

}  // namespace troupe::cluster
