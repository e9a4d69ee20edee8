#include "actors/routes.hpp"

#include <google/protobuf/descriptor.h>

#include "actors/contracts/http_rules.hpp"

namespace troupe::actors {
namespace {

struct Route {
  HttpBinding binding;
  std::string method;

  std::string text() const { return binding.text() + " (" + method + ")"; }
};

Result<std::vector<Route>> routes_of(const ServiceRegistry& registry) {
  std::vector<Route> routes;
  for (const auto& service : registry.all()) {
    const auto& descriptor = *service.type->descriptor();
    for (int i = 0; i < descriptor.method_count(); ++i) {
      const auto& method = *descriptor.method(i);
      TROUPE_TRY(bindings, http_bindings(method));
      for (auto& binding : bindings) routes.push_back({std::move(binding), method.full_name()});
    }
  }
  return routes;
}

}  // namespace

Result<void> check_routes(const ServiceRegistry& registry) {
  TROUPE_TRY(routes, routes_of(registry));
  std::string clashes;
  for (std::size_t i = 0; i < routes.size(); ++i)
    for (std::size_t j = i + 1; j < routes.size(); ++j)
      if (routes[i].binding.clashes(routes[j].binding))
        clashes += "\n  " + routes[i].text() + " and " + routes[j].text();
  if (clashes.empty()) return {};
  return failed_precondition(
      "ROUTES_CLASH", "these HTTP routes match a common path; change one of each pair:" + clashes);
}

}  // namespace troupe::actors
