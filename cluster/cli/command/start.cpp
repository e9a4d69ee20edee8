// `troupe up` and `troupe node`: one node of a manifest, in this process, in the foreground.
#include <exception>

#include "cluster/cli/command/admin_client.hpp"
#include "cluster/cli/command/commands.hpp"
#include "cluster/cli/command/manifest_file.hpp"
#include "cluster/cli/command/table.hpp"

namespace troupe::cluster {
namespace {

std::string names_of(const config::Manifest& manifest) {
  std::string names;
  for (const auto& node : manifest.nodes) names += (names.empty() ? "" : ", ") + node.name;
  return names;
}

std::string url(const config::Address& address) {
  return "http://" + reachable(address).to_string();
}

// What is about to run and what to type next, for whoever typed `troupe up`.
void announce(const CliIo& io, const CliHooks& hooks, const config::Node& node) {
  std::string services;
  for (const auto& service : hooks.services)
    if (node.hosts(service)) services += (services.empty() ? "" : ", ") + service;
  Table table{{{"NODE"}, {"GATEWAY"}, {"ADMIN"}, {"DATA"}, {"SERVICES"}}};
  table.add({{node.name, Tint::strong},
             node.gateway ? url(*node.gateway) : "none",
             url(node.admin),
             node.data,
             services.empty() ? "none" : services});
  table.print(io);
  const std::string admin = reachable(node.admin).to_string();
  *io.out << "\nIn another terminal:  troupe status"
          << (admin == default_admin ? "" : " --admin " + admin)
          << "\nTo stop:              Ctrl-C\n"
          << std::flush;
}

// The one node that is meant; null after a complaint.
config::Node* choose(const CliIo& io, config::Manifest& manifest, const StartOptions& options) {
  if (options.name.empty() && manifest.nodes.size() == 1) return &manifest.nodes.front();
  if (options.name.empty()) {
    *io.err << "troupe: " << options.file << " has " << manifest.nodes.size()
            << " nodes, and this build starts one: give --name with one of " << names_of(manifest)
            << "\n";
    return nullptr;
  }
  for (auto& node : manifest.nodes)
    if (node.name == options.name) return &node;
  *io.err << "troupe: " << options.file << " has no node \"" << options.name << "\"; it has "
          << names_of(manifest) << "\n";
  return nullptr;
}

int start(const CliIo& io, const CliHooks& hooks, const StartOptions& options, bool with_words) {
  auto manifest = load_or_complain(io, options.file, hooks.services);
  if (!manifest) return exit_usage;
  config::Node* node = choose(io, *manifest, options);
  if (!node) return exit_usage;
  if (!options.data.empty()) node->data = options.data;
  if (with_words) announce(io, hooks, *node);
  try {
    return hooks.run_node(*manifest, node->name);
  } catch (const std::exception& error) {
    *io.err << "troupe: node " << node->name << " ended: " << error.what() << "\n";
    return exit_failed;
  }
}

}  // namespace

int run_up(const CliIo& io, const CliHooks& hooks, const StartOptions& options) {
  return start(io, hooks, options, true);
}

int run_named_node(const CliIo& io, const CliHooks& hooks, const StartOptions& options) {
  return start(io, hooks, options, false);
}

}  // namespace troupe::cluster
