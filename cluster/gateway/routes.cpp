#include "cluster/gateway/routes.hpp"

#include <google/protobuf/descriptor.h>

#include <algorithm>

namespace troupe::cluster {
namespace {

bool may_match(const Route& route, std::string_view path) {
  // Only a shortcut: an escape could stand for a character of the prefix.
  return path.starts_with(route.prefix) || path.find('%') != std::string_view::npos;
}

std::string literal_prefix(const std::string& path_template) {
  const auto prefix = path_template.substr(0, path_template.find_first_of("{*:"));
  return prefix.find('%') == std::string::npos ? prefix : "/";
}

// Reads one method's bindings and adds those that fit and clash with none before.
class Reader {
 public:
  Reader(std::vector<Route>& routes, std::string& mistakes)
      : routes_{routes}, mistakes_{mistakes} {}

  void read(const actors::ServiceType& service, std::uint32_t index) {
    const auto& name = service.methods[index].name;
    const auto* method = service.descriptor()->FindMethodByName(name);
    if (method == nullptr) return wrong(service.name + "." + name, "the contract has no such rpc");
    const auto bindings = actors::http_bindings(*method);
    if (!bindings) return wrong(method->full_name(), bindings.error().message);
    for (const auto& binding : *bindings) {
      auto transcoder = Transcoder::make(binding, *method);
      if (!transcoder) {
        wrong(method->full_name(), transcoder.error().message);
        continue;
      }
      Route route{&service, index, binding, std::move(*transcoder),
                  literal_prefix(binding.path.text())};
      if (const auto* other = clash(route)) {
        wrong(method->full_name(), binding.text() + " clashes with " + other->binding.text() +
                                       " of " + other->service->name + "." +
                                       other->service->methods[other->method].name +
                                       ": a request could mean both; change one of the paths");
        continue;
      }
      routes_.push_back(std::move(route));
    }
  }

 private:
  const Route* clash(const Route& route) const {
    const auto other = std::ranges::find_if(
        routes_, [&](const Route& it) { return it.binding.clashes(route.binding); });
    return other == routes_.end() ? nullptr : &*other;
  }

  void wrong(const std::string& where, const std::string& what) {
    if (!mistakes_.empty()) mistakes_ += '\n';
    mistakes_ += where + ": " + what;
  }

  std::vector<Route>& routes_;
  std::string& mistakes_;
};

}  // namespace

Result<std::shared_ptr<const Routes>> Routes::make(
    const std::vector<const actors::ServiceType*>& services) {
  auto routes = std::make_shared<Routes>();
  std::string mistakes;
  Reader reader{routes->routes_, mistakes};
  for (const auto* service : services) {
    for (std::uint32_t i = 0; i < service->methods.size(); ++i) reader.read(*service, i);
  }
  if (!mistakes.empty()) return invalid_argument("HTTP_RULE_INVALID", std::move(mistakes));
  return std::shared_ptr<const Routes>{std::move(routes)};
}

const Route* Routes::find(std::string_view verb, std::string_view path,
                          PathVariables& variables) const {
  for (const auto& route : routes_) {
    if (route.binding.verb == verb && may_match(route, path) &&
        route.binding.path.match(path, &variables))
      return &route;
  }
  return nullptr;
}

std::vector<std::string> Routes::verbs(std::string_view path) const {
  std::vector<std::string> verbs;
  for (const auto& route : routes_) {
    if (!may_match(route, path) || !route.binding.path.match(path, nullptr)) continue;
    verbs.push_back(route.binding.verb);
    if (route.binding.verb == "GET") verbs.push_back("HEAD");
  }
  std::ranges::sort(verbs);
  verbs.erase(std::unique(verbs.begin(), verbs.end()), verbs.end());
  return verbs;
}

}  // namespace troupe::cluster
