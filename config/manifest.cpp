#include "config/manifest.hpp"

#include <algorithm>

namespace troupe::config {
namespace {

void put_in(std::string& path, const std::string& node) {
  constexpr std::string_view placeholder = "{node}";
  for (auto at = path.find(placeholder); at != std::string::npos;
       at = path.find(placeholder, at + node.size()))
    path.replace(at, placeholder.size(), node);
}

}  // namespace

bool Node::has(Role role) const {
  return std::find(roles.begin(), roles.end(), role) != roles.end();
}

bool Node::hosts(std::string_view service) const {
  return has(Role::worker) &&
         (!services || std::find(services->begin(), services->end(), service) != services->end());
}

std::string Node::machine() const {
  for (const Address* address :
       {&mesh, gateway ? &*gateway : nullptr, grpc ? &*grpc : nullptr, &admin})
    if (address && !address->host.empty() && !address->wildcard() && !address->loopback())
      return address->host;
  return "";
}

bool Manifest::on_one_machine() const {
  return std::all_of(nodes.begin(), nodes.end(),
                     [&](const Node& node) { return node.machine() == nodes.front().machine(); });
}

const Node* Manifest::find_node(std::string_view name) const {
  for (const auto& node : nodes)
    if (node.name == name) return &node;
  return nullptr;
}

Service Manifest::service(const std::string& name) const {
  const auto found = services.find(name);
  Service service = found == services.end() ? service_defaults : found->second;
  if (service.replication_factor == 0) service.replication_factor = hosts(name) >= 3 ? 3 : 1;
  return service;
}

Tls Manifest::tls_of(const Node& node) const {
  Tls files = cluster.tls;
  for (std::string* path : {&files.authority, &files.certificate, &files.key, &files.revoked})
    put_in(*path, node.name);
  return files;
}

GatewayTls Manifest::gateway_tls_of(const Node& node) const {
  GatewayTls files = gateway.tls;
  for (std::string* path : {&files.certificate, &files.key}) put_in(*path, node.name);
  return files;
}

std::size_t Manifest::hosts(std::string_view service) const {
  return static_cast<std::size_t>(std::count_if(
      nodes.begin(), nodes.end(), [&](const Node& node) { return node.hosts(service); }));
}

}  // namespace troupe::config
