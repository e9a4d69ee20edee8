// The troupe command with every bounded context that is linked into it.
#include "cluster/cli/command/cli.hpp"
#include "cluster/cli/run_node.hpp"

int main(int argc, char** argv) {
  const auto& registry = troupe::actors::ServiceRegistry::global();
  troupe::cluster::CliHooks hooks;
  hooks.run_node = [&](const troupe::config::Manifest& manifest, const std::string& node) {
    return troupe::cluster::run_node(manifest, node, registry);
  };
  for (const auto& service : registry.all()) hooks.services.push_back(service.type->name);
  return troupe::cluster::run_cli(argc, argv, hooks);
}
