// HTTP requests to calls of services, and replies to answers: the handler behind the gateway's
// server. Knows no socket; what serves another protocol can stand beside it.
//
//   200 and the reply as JSON; an error as a problem document. A reply that was stored by an
//   earlier request under the same Idempotency-Key has the header `Idempotency-Replayed: true`.
//   A reply has `Troupe-Position: <service>/<shard>@<index>`: where it stands in the history of its
//   shard, see actors::Reply.
//   A reply that may be stale has `Age` (whole seconds, rounded up: how old it is at most) and
//   `Troupe-Applied-Index`; a request with `Cache-Control: no-cache` gets none such.
//   GET /openapi.json says what is served (openapi.hpp).
//   A call that is over the limit of its service is refused before its body is read as JSON.
//   Every answer has a `traceparent`: the client's trace if it sent one, else a new one.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "actors/client.hpp"
#include "cluster/gateway/admission.hpp"
#include "cluster/gateway/cors.hpp"
#include "cluster/gateway/http/http_server.hpp"
#include "cluster/gateway/routes.hpp"
#include "runtime/platform/random.hpp"
#include "runtime/telemetry/trace.hpp"

namespace troupe::cluster {

struct ApiOptions {
  Duration call_timeout{};
  Cors cors{{}};
  // What openapi() says of the routes, and its entity tag.
  struct Document {
    std::string text;
    std::string tag;
  };
  Document document;
  std::shared_ptr<Admission> admission = std::make_shared<Admission>();  // lets every call in
};

class Api {
 public:
  // `client` and `random` outlive it; `routes` live as long as the calls that need them.
  Api(actors::Client& client, runtime::Random& random, std::shared_ptr<const Routes> routes,
      ApiOptions options);

  // Any thread. Answers now, or when the call has its reply.
  void handle(HttpRequest request, Respond respond) const;

 private:
  struct Answering;
  struct Call;

  std::string allowed(std::string_view path) const;
  HttpResponse no_route(const HttpRequest& request, const Answering& answering) const;
  HttpResponse document(const HttpRequest& request) const;
  void call(const Route& route, const PathVariables& variables, const HttpRequest& request,
            Answering answering, Respond respond) const;

  actors::Client& client_;
  runtime::Random& random_;
  const std::shared_ptr<const Routes> routes_;
  const ApiOptions options_;
};

}  // namespace troupe::cluster
