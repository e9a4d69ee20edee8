#include "cluster/gateway/api.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <utility>

#include "cluster/gateway/call_headers.hpp"
#include "cluster/gateway/http/entity_tag.hpp"
#include "cluster/gateway/http/overdue.hpp"
#include "cluster/gateway/http/problem.hpp"
#include "cluster/gateway/openapi.hpp"

namespace troupe::cluster {
namespace {

constexpr std::array<std::string_view, 7> methods{"DELETE", "GET",  "HEAD", "OPTIONS",
                                                  "PATCH",  "POST", "PUT"};

const actors::MethodType& method_of(const Route& route) {
  return route.service->methods[route.method];
}

HttpResponse answer(const Route& route, const Result<actors::Reply>& reply,
                    const std::string& known, const std::string& trace) {
  if (!reply) return problem(reply.error(), trace);
  HttpResponse response;
  if (method_of(route).versioned && reply->version > 0) {
    const std::string tag = version_tag(reply->version);
    response.headers.push_back({"ETag", tag});
    if (method_of(route).read_only && matches(known, tag)) {
      response.status = 304;
      return response;
    }
  }
  auto body = route.transcoder.reply(reply->payload);
  if (!body) return problem(body.error(), trace);
  response.content_type = "application/json";
  response.body = std::move(*body);
  for (HttpHeader& header : reply_headers(*route.service, *reply))
    response.headers.push_back(std::move(header));
  return response;
}

}  // namespace

// What every answer to a request has, whoever makes it and whenever.
struct Api::Answering {
  runtime::TraceContext trace;
  std::string route;
  std::vector<HttpHeader> headers;

  HttpResponse operator()(HttpResponse response) const {
    response.headers.insert(response.headers.end(), headers.begin(), headers.end());
    response.headers.push_back({"traceparent", trace.traceparent()});
    response.trace = trace.trace_id();
    response.route = route;
    return response;
  }
  HttpResponse operator()(const Error& error) const {
    return (*this)(problem(error, trace.trace_id()));
  }
  HttpResponse operator()(unsigned status, const Error& error) const {
    return (*this)(problem(status, error, trace.trace_id()));
  }
};

// A call that was let in. Its place goes to another one when it is answered, by whomever first.
struct Api::Call final : OverdueAnswer {
  Call(Answering its_answering, Admission::Ticket its_ticket)
      : answering{std::move(its_answering)}, ticket{std::move(its_ticket)} {}

  void ended(const Result<actors::Reply>& reply) const {
    if (!over.exchange(true)) ticket.answered(reply);
  }
  HttpResponse overdue() const override {
    const Error why = answer_overdue();
    ended(why);
    return answering(why);
  }

  const Answering answering;
  const Admission::Ticket ticket;
  mutable std::atomic<bool> over{false};
};

Api::Api(actors::Client& client, runtime::Random& random, std::shared_ptr<const Routes> routes,
         ApiOptions options)
    : client_{client}, random_{random}, routes_{std::move(routes)}, options_{std::move(options)} {}

void Api::handle(HttpRequest request, Respond respond) const {
  Answering answering{trace_of(request, random_), {}, {}};
  if (Cors::is_preflight(request)) {
    answering.headers = options_.cors.headers(request, allowed(request.path));
    return respond(no_route(request, answering));
  }
  answering.headers = options_.cors.headers(request);
  PathVariables variables;
  const auto* route =
      routes_->find(request.method == "HEAD" ? "GET" : request.method, request.path, variables);
  if (route == nullptr) return respond(no_route(request, answering));
  answering.route = route->binding.path.text();
  // Nothing said is JSON, too.
  if (!request.body.empty() && request.header("Content-Type") != nullptr && !is_json(request))
    return respond(answering(
        415, invalid_argument("MEDIA_TYPE_UNSUPPORTED",
                              "the body's Content-Type is \"" + *request.header("Content-Type") +
                                  "\"; send JSON as application/json (with curl: --json, or -H)")));
  if (!accepts_json(request))
    return respond(answering(
        406, invalid_argument("ANSWER_NOT_ACCEPTABLE",
                              "answers are application/json, which the request's Accept header "
                              "leaves out")));
  call(*route, variables, request, std::move(answering), std::move(respond));
}

// For the Allow header; empty: nothing is there.
std::string Api::allowed(std::string_view path) const {
  auto verbs = routes_->verbs(path);
  if (verbs.empty() && path == openapi_path) verbs = {"GET", "HEAD"};
  std::string allow;
  for (const auto& verb : verbs) allow += ", " + verb;
  return allow.empty() ? allow : "OPTIONS" + allow;
}

HttpResponse Api::no_route(const HttpRequest& request, const Answering& answering) const {
  if (std::ranges::find(methods, request.method) == methods.end())
    return answering(501, unimplemented("HTTP_METHOD_UNKNOWN",
                                        "this server has no " + request.method + " requests"));
  const bool options = request.method == "OPTIONS";
  std::string allow = allowed(request.path);
  if (allow.empty() && options && request.path == "*") allow = "OPTIONS";
  if (allow.empty())
    return answering(not_found("ROUTE_NOT_FOUND", "nothing is served at " + request.path));
  if ((request.method == "GET" || request.method == "HEAD") && request.path == openapi_path) {
    Answering named = answering;
    named.route = openapi_path;
    return named(document(request));
  }
  HttpResponse response;
  if (options) {
    response.status = 204;
  } else {
    response =
        problem(405,
                invalid_argument("METHOD_NOT_ALLOWED",
                                 request.path + " has no " + request.method + "; it has " + allow),
                answering.trace.trace_id());
  }
  response.headers.push_back({"Allow", std::move(allow)});
  return answering(std::move(response));
}

HttpResponse Api::document(const HttpRequest& request) const {
  HttpResponse response;
  response.headers.push_back({"ETag", options_.document.tag});
  const auto* known = request.header("If-None-Match");
  if (known != nullptr && matches(*known, options_.document.tag)) {
    response.status = 304;
    return response;
  }
  response.content_type = "application/json";
  response.body = options_.document.text;
  return response;
}

void Api::call(const Route& route, const PathVariables& variables, const HttpRequest& request,
               Answering answering, Respond respond) const {
  auto options = call_options(request, method_of(route));
  if (!options) return respond(answering(options.error()));
  auto ticket = options_.admission->enter(*route.service, route.method);
  if (!ticket) return respond(answering(ticket.error()));
  const auto drop = [&](const Error& why) {
    ticket->dropped();
    respond(answering(why));
  };
  auto payload = route.transcoder.request(request, variables);
  if (!payload) return drop(payload.error());
  auto key = method_of(route).key_of(*payload);
  if (!key) return drop(key.error());

  actors::CallBase call{route.service, route.method, std::move(*key), std::move(*payload)};
  options->timeout = options_.call_timeout;
  options->trace = answering.trace.traceparent();
  const auto* known = request.header("If-None-Match");
  const auto begun = std::make_shared<const Call>(std::move(answering), *std::move(ticket));
  respond.if_overdue(begun);
  // The route is the routes'; they may have to outlive the gateway.
  client_.send(std::move(call), *std::move(options),
               [routes = routes_, &route, begun, known = known == nullptr ? std::string{} : *known,
                respond = std::move(respond)](const Result<actors::Reply>& reply) {
                 begun->ended(reply);
                 const Answering& in = begun->answering;
                 respond(in(answer(route, reply, known, in.trace.trace_id())));
               });
}

}  // namespace troupe::cluster
