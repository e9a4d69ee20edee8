// The troupe command with every bounded context and simulation that is linked into it.
#include "cluster/cli/cluster_hooks.hpp"
#include "cluster/cli/command/cli.hpp"
#include "cluster/cli/run_node.hpp"
#include "runtime/rehearsal/marks.hpp"
#include "simulations/cli/simulate.hpp"

int main(int argc, char** argv) {
  const auto& registry = troupe::actors::ServiceRegistry::global();
  troupe::cluster::CliHooks hooks;
  hooks.run_node = [&](const troupe::config::Manifest& manifest, const std::string& node) {
    return troupe::cluster::run_node(manifest, node, registry);
  };
  troupe::cluster::add_cluster_hooks(hooks, registry);
  for (const auto& service : registry.all()) hooks.services.push_back(service.type->name);
  hooks.simulate = [&](const auto& io, const auto& options) {
    using namespace troupe::simulations;
    Repertoire repertoire{simulations(), run, {}, hooks.services};
    for (const auto& [mark, reached] : troupe::runtime::marks())
      repertoire.marks.emplace_back(mark);
    return simulate(io, options, repertoire);
  };
  return troupe::cluster::run_cli(argc, argv, hooks);
}
