#include "cluster/gateway/grpc/grpc_door.hpp"

#include <algorithm>
#include <atomic>
#include <utility>

#include "cluster/gateway/call_headers.hpp"
#include "cluster/gateway/grpc/grpc_status.hpp"
#include "cluster/gateway/http/entity_tag.hpp"

namespace troupe::cluster {
namespace {

// Metadata names are in lower case.
std::pair<std::string, std::string> metadata_of(HttpHeader header) {
  std::ranges::transform(header.name, header.name.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c; });
  return {std::move(header.name), std::move(header.value)};
}

HttpRequest headers_of(runtime::RpcMetadata metadata) {
  HttpRequest request;
  for (auto& [name, value] : metadata)
    request.headers.push_back({std::move(name), std::move(value)});
  return request;
}

}  // namespace

GrpcOptions GrpcOptions::from(const config::Manifest& manifest, const config::Node& node,
                              runtime::Address listen) {
  const config::Gateway& gateway = manifest.gateway;
  GrpcOptions options;
  options.listen = std::move(listen);
  options.call_timeout = gateway.request_timeout;
  runtime::RpcLimits& limits = options.server.limits;
  limits.message_bytes_max = gateway.body_bytes;
  limits.metadata_bytes_max = gateway.header_bytes;
  limits.connections_max = gateway.connections;
  limits.calls_max = gateway.connections;
  limits.streams_max = std::min<std::size_t>(limits.streams_max, gateway.connections);
  limits.message_time = gateway.body_timeout;
  limits.answer_time = gateway.request_timeout + overdue_after;
  limits.handshake_time = gateway.header_timeout;
  limits.idle_time = gateway.idle_timeout;
  const config::GatewayTls files = manifest.gateway_tls_of(node);
  options.server.certificate = files.certificate;
  options.server.key = files.key;
  return options;
}

// What every answer to a call needs, whoever makes it and whenever.
struct GrpcDoor::Answering {
  std::shared_ptr<runtime::RpcCall> call;
  std::shared_ptr<GrpcTelemetry> telemetry;
  std::shared_ptr<OverdueLog> overdue;
  runtime::Clock* clock = nullptr;
  MonotonicTime began;
  std::string method;  // of a contract; empty: none
  runtime::TraceContext trace;
  bool traced = false;  // by the client, which then wants to know it

  void refuse(const Error& error) const {
    observe(error.code);
    call->finish(rpc_status(error), {{"traceparent", trace.traceparent()}});
  }
  void reply(const Target& target, const Result<actors::Reply>& reply) const {
    if (!reply) return refuse(reply.error());
    runtime::RpcMetadata headers;
    headers.reserve(4);
    if (traced) headers.emplace_back("traceparent", trace.traceparent());
    if (target.service->methods[target.method].versioned && reply->version > 0)
      headers.emplace_back("etag", version_tag(reply->version));
    for (HttpHeader& header : reply_headers(*target.service, *reply))
      headers.push_back(metadata_of(std::move(header)));
    observe(Code::ok);
    call->answer(reply->payload, std::move(headers));
  }

 private:
  void observe(Code code) const { telemetry->observe(method, code, clock->now() - began); }
};

class GrpcDoor::Unary final : public runtime::RpcHandler,
                              public std::enable_shared_from_this<Unary> {
 public:
  Unary(actors::Client& client, std::shared_ptr<Admission> admission, Target target,
        actors::CallOptions options, Answering answering)
      : client_(client),
        admission_(std::move(admission)),
        target_(target),
        options_(std::move(options)),
        answering_(std::move(answering)) {}

  void on_message(std::string message) override {
    // Not before: until then it would be the client that decides how long the call takes.
    auto ticket = admission_->enter(*target_.service, target_.method);
    if (!ticket) return refuse(ticket.error());
    auto key = target_.service->methods[target_.method].key_of(message);
    if (!key) {
      ticket->dropped();
      return refuse(key.error());
    }
    ticket_ = *std::move(ticket);
    actors::CallBase call{target_.service, target_.method, std::move(*key), std::move(message)};
    client_.send(std::move(call), std::move(options_),
                 [self = shared_from_this()](const Result<actors::Reply>& reply) {
                   if (self->answered_.exchange(true)) return;
                   self->ticket_.answered(reply);
                   self->answering_.reply(self->target_, reply);
                 });
  }
  void on_end() override {
    refuse(invalid_argument("GRPC_MESSAGE_MISSING",
                            "the call ended without a message; a unary call has one"));
  }
  void on_overdue() override {
    if (answered_.exchange(true)) return;
    const Error why = answer_overdue();
    ticket_.answered(why);
    answering_.overdue->say(answering_.method);
    answering_.refuse(why);
  }
  // What has begun goes on: its outcome must not depend on who still listens.
  void on_closed() override {}

 private:
  void refuse(const Error& error) {
    if (!answered_.exchange(true)) answering_.refuse(error);
  }

  actors::Client& client_;
  const std::shared_ptr<Admission> admission_;
  const Target target_;
  actors::CallOptions options_;
  const Answering answering_;
  Admission::Ticket ticket_;  // once the call was let in
  std::atomic<bool> answered_{false};
};

GrpcDoor::GrpcDoor(runtime::Platform& platform, actors::Client& client, const GrpcOptions& options)
    : platform_(platform),
      client_(client),
      call_timeout_(options.call_timeout),
      admission_(options.admission ? options.admission : std::make_shared<Admission>()),
      telemetry_(std::make_shared<GrpcTelemetry>(platform.metrics())),
      overdue_(std::make_shared<OverdueLog>(platform)) {}

Result<std::unique_ptr<GrpcDoor>> GrpcDoor::start(
    runtime::Platform& platform, actors::Client& client,
    const std::vector<const actors::ServiceType*>& services, std::function<bool()> ready,
    const GrpcOptions& options) {
  if (platform.rpc() == nullptr)
    return failed_precondition("GRPC_UNSUPPORTED",
                               "this platform has no gRPC; leave `grpc` out of [[nodes]]");
  std::unique_ptr<GrpcDoor> door{new GrpcDoor{platform, client, options}};
  std::set<std::string> names;
  for (const actors::ServiceType* service : services) {
    names.insert(service->name);
    for (std::uint32_t i = 0; i < service->methods.size(); ++i)
      door->targets_['/' + service->name + '/' + service->methods[i].name] = {service, i};
  }
  door->health_ = std::make_shared<Health>(std::move(names), std::move(ready));
  door->reflection_ = std::make_shared<Reflection>(services);
  runtime::RpcOptions serving = options.server;
  serving.together = [&client](const std::function<void()>& tell) { client.together(tell); };
  TROUPE_TRY(server, platform.rpc()->listen(
                         options.listen,
                         [door = door.get()](runtime::RpcRequest request,
                                             std::shared_ptr<runtime::RpcCall> call) {
                           return door->accept(std::move(request), std::move(call));
                         },
                         serving));
  door->server_ = std::move(server);
  return door;
}

std::shared_ptr<runtime::RpcHandler> GrpcDoor::accept(runtime::RpcRequest request,
                                                      std::shared_ptr<runtime::RpcCall> call) {
  const auto found = targets_.find(request.method);
  if (found == targets_.end()) {
    if (request.method == "/grpc.health.v1.Health/Check") return health_->check(std::move(call));
    if (request.method == "/grpc.health.v1.Health/Watch") return health_->watch(std::move(call));
    if (request.method == "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo" ||
        request.method == "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo")
      return reflection_->talk(std::move(call));
  }
  const HttpRequest headers = headers_of(std::move(request.metadata));
  Answering answering{std::move(call),
                      telemetry_,
                      overdue_,
                      &platform_.clock(),
                      platform_.clock().now(),
                      {},
                      trace_of(headers, platform_.random()),
                      headers.header("traceparent") != nullptr};
  if (found == targets_.end()) {
    answering.refuse(unimplemented("GRPC_METHOD_UNKNOWN", "this server has no " + request.method));
    return nullptr;
  }
  const Target& target = found->second;
  answering.method = request.method.substr(1);
  auto options = call_options(headers, target.service->methods[target.method]);
  if (!options) {
    answering.refuse(options.error());
    return nullptr;
  }
  options->timeout = std::min(call_timeout_, request.timeout.value_or(call_timeout_));
  options->trace = answering.trace.traceparent();
  return std::make_shared<Unary>(client_, admission_, target, *std::move(options),
                                 std::move(answering));
}

void GrpcDoor::stop(Duration deadline, std::function<void()> done) {
  health_->stop();
  reflection_->stop();
  server_->stop(deadline, std::move(done));
}

}  // namespace troupe::cluster
