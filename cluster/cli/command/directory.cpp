// `troupe directory`: what the cluster agrees on, as one node knows it.
#include <map>

#include "cluster/cli/command/operate.hpp"
#include "cluster/cli/command/table.hpp"
#include "cluster/directory/buckets.hpp"
#include "cluster/directory/node_state.hpp"

namespace troupe::cluster {
namespace {

constexpr auto to_the_right = Table::Align::right;

std::string label(const DirectoryNode& node, const std::string& name) {
  for (const auto& one : node.labels())
    if (one.name() == name) return one.value();
  return {};
}

Tint tint_of(const DirectoryNode& node) {
  if (node.state() == DirectoryNode::DOWN) return Tint::bad;
  const bool plain = node.state() == DirectoryNode::UP && !node.draining() && !node.cordoned();
  return plain ? Tint::good : Tint::warning;
}

void print_members(const CliIo& io, const DirectoryTable& table) {
  std::map<std::string, std::size_t> replicas;
  std::map<std::string, std::size_t> leaders;
  for (const auto& shard : table.shards()) {
    for (const auto& node : shard.nodes()) ++replicas[node];
    if (shard.nodes_size() > 0) ++leaders[shard.nodes(0)];
  }
  Table members{{{"NODE"},
                 {"STATE"},
                 {"CONTROL"},
                 {"REPLICAS", to_the_right},
                 {"LEADERS", to_the_right},
                 {"REGION"},
                 {"ZONE"},
                 {"MESH"},
                 {"ADMIN"}}};
  for (const auto& node : table.nodes()) {
    if (node.state() == DirectoryNode::REMOVED) continue;
    members.add({{node.name(), Tint::strong},
                 {state_of(node), tint_of(node)},
                 node.control() ? "yes" : "no",
                 std::to_string(replicas[node.name()]),
                 std::to_string(leaders[node.name()]),
                 label(node, "region"),
                 label(node, "zone"),
                 node.mesh(),
                 node.admin()});
  }
  members.print(io);
}

// "0-1023"; of a shard that is being split with what it is to give away.
std::string buckets_text(const DirectoryTable& table, const DirectoryShard& shard) {
  std::pair<std::uint32_t, std::uint32_t> buckets{};
  for (const auto& service : table.services())
    if (service.service() == shard.service()) buckets = buckets_of(service, shard.shard());
  const auto [first, end] = buckets;
  if (end == 0) return {};
  std::string text = std::to_string(first) + "-" + std::to_string(end - 1);
  if (shard.has_split()) text += " (split at " + std::to_string(shard.split().at_bucket()) + ")";
  return text;
}

void print_places(const CliIo& io, const DirectoryTable& table) {
  Table places{{{"SERVICE"},
                {"SHARD", to_the_right},
                {"BUCKETS", to_the_right},
                {"NODES"},
                {"VERSION", to_the_right}}};
  for (const auto& shard : table.shards()) {
    std::string nodes;
    for (const auto& node : shard.nodes()) nodes += (nodes.empty() ? "" : ", ") + node;
    places.add({{shard.service(), Tint::strong},
                std::to_string(shard.shard()),
                buckets_text(table, shard),
                nodes,
                std::to_string(shard.version())});
  }
  if (places.empty()) return;
  *io.out << "\n";
  places.print(io);
}

}  // namespace

int run_directory(const CliIo& io, const OperateOptions& options) {
  const auto targets = targets_of(io, options.ask);
  if (!targets) return exit_usage;
  DirectoryView view;
  const auto asked = ask_in_turn(io, *targets, [&](const Target& target) {
    view.Clear();
    return ask_node(target.address, "/v1/directory", targets->timeout, view);
  });
  if (!asked) return exit_failed;
  if (options.ask.json) {
    *io.out << to_json(view) << "\n";
    return exit_done;
  }
  print_members(io, view.table());
  if (options.shards) print_places(io, view.table());
  *io.out << "\nVersion " << view.table().version() << " as node " << harmless(view.node())
          << " knows it, ";
  if (view.reached())
    *io.out << "kept by node " << harmless(view.keeper()) << ".\n";
  else
    *io.out << "which does not reach whoever keeps it: a majority of the control nodes must be "
               "up.\n";
  return exit_done;
}

}  // namespace troupe::cluster
