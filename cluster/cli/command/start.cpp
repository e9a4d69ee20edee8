// `troupe up` and `troupe node`: nodes of a manifest, in the foreground.
#include <algorithm>
#include <exception>

#include "cluster/cli/command/admin_client.hpp"
#include "cluster/cli/command/children.hpp"
#include "cluster/cli/command/commands.hpp"
#include "cluster/cli/command/folders.hpp"
#include "cluster/cli/command/manifest_file.hpp"
#include "cluster/cli/command/table.hpp"

namespace troupe::cluster {
namespace {

std::string url(const config::Address& address) {
  return "http://" + reachable(address).to_string();
}

std::string gateway_of(const config::Node& node) {
  return node.gateway ? url(*node.gateway) : "none";
}

const Table::Column grpc_column{"GRPC", Table::Align::left, true};

std::string grpc_of(const config::Node& node) {
  return node.grpc ? reachable(*node.grpc).to_string() : "";
}

void say_next(const CliIo& io, const std::string& status_options) {
  *io.out << "\nIn another terminal:  troupe status" << status_options
          << "\nTo stop:              Ctrl-C\n"
          << std::flush;
}

// What is about to run and what to type next, for whoever typed `troupe up`.
void announce(const CliIo& io, const CliHooks& hooks, const config::Node& node) {
  std::string services;
  for (const auto& service : hooks.services)
    if (node.hosts(service)) services += (services.empty() ? "" : ", ") + service;
  Table table{{{"NODE"}, {"GATEWAY"}, grpc_column, {"ADMIN"}, {"DATA"}, {"SERVICES"}}};
  table.add({{node.name, Tint::strong},
             gateway_of(node),
             grpc_of(node),
             url(node.admin),
             node.data,
             services.empty() ? "none" : services});
  table.print(io);
  const std::string admin = reachable(node.admin).to_string();
  say_next(io, admin == default_admin ? "" : " --admin " + admin);
}

void no_such_node(const CliIo& io, const std::string& file, const config::Manifest& manifest,
                  const std::string& name) {
  *io.err << "troupe: " << file << " has no node \"" << harmless(name) << "\"; it has "
          << names_of(manifest) << "\n";
}

// The nodes that are meant, in the manifest's order; empty after a complaint.
std::vector<config::Node*> choose(const CliIo& io, config::Manifest& manifest,
                                  const UpOptions& options) {
  for (const auto& name : options.only) {
    if (manifest.find_node(name)) continue;
    no_such_node(io, options.file, manifest, name);
    return {};
  }
  std::vector<config::Node*> chosen;
  for (auto& node : manifest.nodes)
    if (options.only.empty() || std::ranges::find(options.only, node.name) != options.only.end())
      chosen.push_back(&node);
  return chosen;
}

int run_here(const CliIo& io, const CliHooks& hooks, const config::Manifest& manifest,
             const config::Node& node) {
  try {
    return hooks.run_node(manifest, node.name);
  } catch (const std::exception& error) {
    *io.err << "troupe: node " << node.name << " ended: " << error.what() << "\n";
    return exit_failed;
  }
}

int run_beside_each_other(const CliIo& io, const CliHooks& hooks, const std::string& file,
                          const config::Manifest& manifest,
                          const std::vector<config::Node*>& nodes) {
  Children children{io};
  Table table{
      {{"NODE"}, {"GATEWAY"}, grpc_column, {"ADMIN"}, {"MESH"}, {"PID", Table::Align::right}}};
  for (const config::Node* node : nodes) {
    std::vector<std::string> command{hooks.program, "node", file, "--name", node->name};
    // The terminal is behind this process.
    if (io.rewritable && manifest.log.format == config::LogFormat::automatic)
      command.insert(command.end(), {"--log-format", "text"});
    const auto pid = children.start(
        node->name, command,
        shell_word(io.program) + " node " + shell_word(file) + " --name " + node->name);
    if (!pid) {
      *io.err << "troupe: " << pid.error().describe() << "\n";
      return exit_failed;
    }
    table.add({{node->name, Tint::strong},
               gateway_of(*node),
               grpc_of(*node),
               url(node->admin),
               node->mesh.to_string(),
               std::to_string(*pid)});
  }
  table.print(io);
  say_next(io, " --manifest " + file);
  return children.supervise() ? exit_done : exit_failed;
}

}  // namespace

int run_up(const CliIo& io, const CliHooks& hooks, const UpOptions& options) {
  auto manifest = load_or_complain(io, options.file, hooks.services);
  if (!manifest) return exit_usage;
  const auto nodes = choose(io, *manifest, options);
  if (nodes.empty()) return exit_usage;
  if (!options.data.empty()) {
    if (nodes.size() > 1) {
      *io.err << "troupe: --data is one node's folder: give --only with one of "
              << names_of(*manifest) << "\n";
      return exit_usage;
    }
    nodes.front()->data = options.data;
  }
  std::vector<std::string> names;
  for (const config::Node* node : nodes) names.push_back(node->name);
  if (!folders_are_ready(io, hooks, options.file, *manifest, names)) return exit_failed;
  if (nodes.size() > 1) return run_beside_each_other(io, hooks, options.file, *manifest, nodes);
  announce(io, hooks, *nodes.front());
  return run_here(io, hooks, *manifest, *nodes.front());
}

int run_named_node(const CliIo& io, const CliHooks& hooks, const NodeOptions& options) {
  auto manifest = load_or_complain(io, options.file, hooks.services);
  if (!manifest) return exit_usage;
  const auto node = std::ranges::find(manifest->nodes, options.name, &config::Node::name);
  if (node == manifest->nodes.end()) {
    no_such_node(io, options.file, *manifest, options.name);
    return exit_usage;
  }
  if (!options.data.empty()) node->data = options.data;
  if (options.log_format == "auto") manifest->log.format = config::LogFormat::automatic;
  if (options.log_format == "text") manifest->log.format = config::LogFormat::text;
  if (options.log_format == "json") manifest->log.format = config::LogFormat::json;
  return run_here(io, hooks, *manifest, *node);
}

}  // namespace troupe::cluster
