// What is served over HTTP: every binding of every google.api.http rule of the services, and which
// of them a request means. At most one: bindings that a request could both mean are refused.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "actors/contracts/http_rules.hpp"
#include "actors/service.hpp"
#include "cluster/gateway/transcoder.hpp"
#include "runtime/result.hpp"

namespace troupe::cluster {

struct Route {
  const actors::ServiceType* service = nullptr;
  std::uint32_t method = 0;  // index into service->methods
  actors::HttpBinding binding;
  Transcoder transcoder;
  std::string prefix;  // text with which every path begins that has no escapes
};

// Immutable; any thread. Calls in flight share it, so that it outlives the gateway if it must.
class Routes {
 public:
  // INVALID_ARGUMENT / HTTP_RULE_INVALID names every mistake: rules that cannot be read or do not
  // fit their messages, and bindings that clash. The services outlive the routes.
  static Result<std::shared_ptr<const Routes>> make(
      const std::vector<const actors::ServiceType*>& services);

  // Null if there is none. `variables` is filled for Transcoder::request().
  const Route* find(std::string_view verb, std::string_view path, PathVariables& variables) const;

  // The verbs that the path has a binding for, sorted; HEAD comes with GET.
  std::vector<std::string> verbs(std::string_view path) const;

  const std::vector<Route>& all() const { return routes_; }  // in the order of the services

 private:
  std::vector<Route> routes_;
};

}  // namespace troupe::cluster
