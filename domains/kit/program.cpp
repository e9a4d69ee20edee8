#include "domains/kit/program.hpp"

#include "cluster/cli/cluster_hooks.hpp"
#include "cluster/cli/command/cli.hpp"
#include "cluster/cli/run_node.hpp"
#include "domains/kit/new_context.hpp"
#include "runtime/rehearsal/marks.hpp"
#include "simulations/cli/simulate.hpp"

namespace troupe {

int run_program(int argc, char** argv, std::function<void()> each_second) {
  const auto& registry = actors::ServiceRegistry::global();
  cluster::CliHooks hooks;
  hooks.run_node = [&](const config::Manifest& manifest, const std::string& node) {
    return cluster::run_node(manifest, node, registry, each_second);
  };
  cluster::add_cluster_hooks(hooks, registry);
  for (const auto& service : registry.all()) hooks.services.push_back(service.type->name);
  hooks.simulate = [&](const auto& io, const auto& options) {
    using namespace simulations;
    Repertoire repertoire{simulations::simulations(), run, {}, hooks.services};
    for (const auto& [mark, reached] : runtime::marks()) repertoire.marks.emplace_back(mark);
    return simulate(io, options, repertoire);
  };
  hooks.new_context = kit::new_context;
  return cluster::run_cli(argc, argv, hooks);
}

}  // namespace troupe
