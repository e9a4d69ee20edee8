#include "cluster/gateway/api.hpp"

#include <algorithm>
#include <array>
#include <ranges>
#include <utility>

#include "cluster/gateway/http/problem.hpp"
#include "cluster/gateway/idempotency_key.hpp"

namespace troupe::cluster {
namespace {

constexpr std::array<std::string_view, 7> methods{"DELETE", "GET",  "HEAD", "OPTIONS",
                                                  "PATCH",  "POST", "PUT"};

runtime::TraceContext trace_of(const HttpRequest& request, runtime::Random& random) {
  if (const auto* header = request.header("traceparent");
      header && request.count("traceparent") == 1) {
    if (const auto received = runtime::TraceContext::parse(*header)) return received->child(random);
  }
  return runtime::TraceContext::make(random, false);
}

HttpResponse finish(HttpResponse response, const runtime::TraceContext& trace,
                    const std::string& route) {
  response.headers.push_back({"traceparent", trace.traceparent()});
  response.trace = trace.trace_id();
  response.route = route;
  return response;
}

HttpResponse answer(const Route& route, const Result<actors::Reply>& reply,
                    const std::string& trace) {
  if (!reply) return problem(reply.error(), trace);
  auto body = route.transcoder.reply(reply->payload);
  if (!body) return problem(body.error(), trace);
  HttpResponse response;
  response.content_type = "application/json";
  response.body = std::move(*body);
  if (reply->repeated) response.headers.push_back({"Idempotency-Replayed", "true"});
  response.headers.push_back({"Troupe-Position", route.service->name + '/' +
                                                     std::to_string(reply->shard) + '@' +
                                                     std::to_string(reply->shard_index)});
  if (reply->age) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(*reply->age);
    response.headers.push_back({"Age", std::to_string(seconds.count())});
    response.headers.push_back({"Troupe-Applied-Index", std::to_string(reply->shard_index)});
  }
  return response;
}

// RFC 9111, section 5.2.1.4: no answer from anything but the origin. Ours is the shard's leader.
bool wants_fresh(const HttpRequest& request) {
  const auto* control = request.header("Cache-Control");
  if (control == nullptr) return false;
  return std::ranges::any_of(std::views::split(*control, ','), [](const auto& part) {
    return equal_ignoring_case(trimmed({part.begin(), part.end()}), "no-cache");
  });
}

}  // namespace

Api::Api(actors::Client& client, runtime::Random& random, std::shared_ptr<const Routes> routes,
         Duration call_timeout)
    : client_{client}, random_{random}, routes_{std::move(routes)}, call_timeout_{call_timeout} {}

void Api::handle(HttpRequest request, Respond respond) const {
  const auto trace = trace_of(request, random_);
  PathVariables variables;
  const auto* route =
      routes_->find(request.method == "HEAD" ? "GET" : request.method, request.path, variables);
  if (route == nullptr) return respond(finish(no_route(request, trace.trace_id()), trace, {}));
  // Nothing said is JSON, too.
  if (!request.body.empty() && request.header("Content-Type") != nullptr && !is_json(request)) {
    const auto wrong =
        invalid_argument("MEDIA_TYPE_UNSUPPORTED",
                         "the body's Content-Type is \"" + *request.header("Content-Type") +
                             "\"; send JSON as application/json (with curl: --json, or -H)");
    return respond(
        finish(problem(415, wrong, trace.trace_id()), trace, route->binding.path.text()));
  }
  call(*route, variables, request, trace, std::move(respond));
}

HttpResponse Api::no_route(const HttpRequest& request, const std::string& trace) const {
  if (std::ranges::find(methods, request.method) == methods.end()) {
    const auto unknown =
        unimplemented("HTTP_METHOD_UNKNOWN", "this server has no " + request.method + " requests");
    return problem(501, unknown, trace);
  }
  const auto verbs = routes_->verbs(request.path);
  const bool options = request.method == "OPTIONS";
  if (verbs.empty() && !(options && request.path == "*"))
    return problem(not_found("ROUTE_NOT_FOUND", "nothing is served at " + request.path), trace);

  std::string allow = "OPTIONS";
  for (const auto& verb : verbs) allow += ", " + verb;
  HttpResponse response;
  if (options) {
    response.status = 204;
  } else {
    const auto wrong = invalid_argument(
        "METHOD_NOT_ALLOWED", request.path + " has no " + request.method + "; it has " + allow);
    response = problem(405, wrong, trace);
  }
  response.headers.push_back({"Allow", std::move(allow)});
  return response;
}

void Api::call(const Route& route, const PathVariables& variables, const HttpRequest& request,
               const runtime::TraceContext& trace, Respond respond) const {
  const auto refuse = [&](const Error& error) {
    respond(finish(problem(error, trace.trace_id()), trace, route.binding.path.text()));
  };
  auto id = idempotency_key(request);
  if (!id) return refuse(id.error());
  auto payload = route.transcoder.request(request, variables);
  if (!payload) return refuse(payload.error());
  auto key = route.service->methods[route.method].key_of(*payload);
  if (!key) return refuse(key.error());

  actors::CallBase call{route.service, route.method, std::move(*key), std::move(*payload)};
  actors::CallOptions options;
  options.id = *id;
  options.caller = "http";
  options.timeout = call_timeout_;
  options.trace = trace.traceparent();
  options.fresh = wants_fresh(request);
  // The route is the routes'; they may have to outlive the gateway.
  client_.send(
      std::move(call), std::move(options),
      [routes = routes_, &route, trace,
       respond = std::move(respond)](const Result<actors::Reply>& reply) {
        respond(finish(answer(route, reply, trace.trace_id()), trace, route.binding.path.text()));
      });
}

}  // namespace troupe::cluster
