#include "actors/service.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace troupe::actors {
namespace {

std::string_view name_of(const Service& service) {
  return service.type->name;
}

}  // namespace

std::size_t ServiceType::find(std::string_view method) const {
  const auto found = std::ranges::find(methods, method, &MethodType::name);
  return static_cast<std::size_t>(found - methods.begin());
}

void ServiceRegistry::add(Service service) {
  const auto name = name_of(service);
  const auto place = std::ranges::lower_bound(services_, name, {}, name_of);
  if (place != services_.end() && name_of(*place) == name) {
    // Before main() nothing is there to log with.
    std::fprintf(stderr, "two classes implement the service %.*s: keep one TROUPE_SERVICE\n",
                 static_cast<int>(name.size()), name.data());
    std::abort();
  }
  services_.insert(place, std::move(service));
}

const Service* ServiceRegistry::find(std::string_view name) const {
  const auto found = std::ranges::lower_bound(services_, name, {}, name_of);
  return found != services_.end() && name_of(*found) == name ? &*found : nullptr;
}

std::vector<const ServiceType*> types_of(const ServiceRegistry& registry) {
  std::vector<const ServiceType*> types;
  for (const Service& service : registry.all()) types.push_back(service.type);
  return types;
}

ServiceRegistry& ServiceRegistry::global() {
  static ServiceRegistry registry;
  return registry;
}

}  // namespace troupe::actors
