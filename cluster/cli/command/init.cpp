// `troupe init`: creates a cluster, once.
#include <algorithm>

#include "cluster/cli/command/commands.hpp"
#include "cluster/cli/command/folders.hpp"
#include "cluster/cli/command/json.hpp"
#include "cluster/cli/command/operate.hpp"
#include "cluster/cli/command/report.pb.h"
#include "cluster/cli/command/table.hpp"
#include "cluster/directory/describe.hpp"
#include "cluster/directory/formats.hpp"

namespace troupe::cluster {
namespace {

bool has_word(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// The cluster's id, from a cluster that has admitted the node; empty after a complaint.
std::string join(const CliIo& io, const CliHooks& hooks, const InitOptions& options,
                 const config::Manifest& manifest, const std::string& name) {
  for (const Member& member : hooks.members(manifest)) {
    if (member.node != name || (member.identity && !*member.identity)) continue;
    *io.err << "troupe: " << harmless(member.folder)
            << " is not empty; a node that joins has a folder of its own without data\n";
    return {};
  }
  AskOptions ask;
  ask.admin = options.admin;
  ask.manifest = options.admin.empty() ? options.file : "";
  ask.timeout = options.timeout;
  auto targets = targets_of(io, ask);
  if (!targets) return {};
  std::erase_if(targets->targets, [&](const Target& one) { return one.node == name; });
  DirectoryOrder order;
  order.mutable_admit()->set_cluster(manifest.cluster.name);
  *order.mutable_admit()->mutable_node() = describe_node(*manifest.find_node(name), hooks.services);
  for (const std::string& format : formats_read())
    order.mutable_admit()->mutable_node()->add_formats(format);
  order.set_why("troupe init --join");
  const auto outcome = order_cluster(io, *targets, order);
  return outcome ? outcome->cluster_id() : std::string{};
}

// Whether the cluster would be created a second time, as far as the folders of this machine tell.
bool exists(const CliIo& io, const CliHooks& hooks, const InitOptions& options,
            const config::Manifest& manifest, const std::vector<std::string>& nodes) {
  if (!options.id.empty()) return false;
  for (const Member& member : hooks.members(manifest)) {
    if (!member.identity || !*member.identity || has_word(nodes, member.node)) continue;
    const FolderIdentity& found = **member.identity;
    if (found.cluster != manifest.cluster.name || found.node != member.node) continue;
    *io.err << "troupe: the cluster " << found.cluster << " exists: " << harmless(member.folder)
            << " is node " << found.node
            << "'s. A new one would be another cluster. For this one:\n";
    for (const auto& node : nodes) say_how_to_join(io, options.file, node, found.cluster_id);
    return true;
  }
  return false;
}

}  // namespace

int run_init(const CliIo& io, const CliHooks& hooks, const InitOptions& options) {
  const auto chosen = folders_to_fill(
      io, hooks, {"troupe init " + options.file, options.file, options.nodes, options.data});
  if (!chosen) return exit_usage;
  const auto& [manifest, nodes] = *chosen;
  if (!options.join && exists(io, hooks, options, manifest, nodes)) return exit_failed;
  std::string given = options.id;
  if (options.join) {
    if (nodes.size() != 1) {
      *io.err << "troupe: --join is for one node: give --node with its name\n";
      return exit_usage;
    }
    given = join(io, hooks, options, manifest, nodes.front());
    if (given.empty()) return exit_failed;
  }
  const auto id = hooks.create_cluster(manifest, nodes, given,
                                       options.join      ? Membership::joiner
                                       : options.replace ? Membership::replacement
                                                         : Membership::founder);
  if (!id) {
    *io.err << "troupe: " << harmless_lines(id.error().describe()) << "\n";
    return id.error().code == Code::invalid_argument ? exit_usage : exit_failed;
  }

  InitReport report;
  report.set_cluster(manifest.cluster.name);
  report.set_cluster_id(*id);
  Table table{{{"NODE"}, {"DATA"}, {"CLUSTER"}, {"ID"}}};
  for (const auto& node : manifest.nodes) {
    if (!has_word(nodes, node.name)) {
      report.add_remaining(node.name);
      continue;
    }
    auto* created = report.add_created();
    created->set_node(node.name);
    created->set_data(node.data);
    table.add({{node.name, Tint::strong}, node.data, manifest.cluster.name, *id});
  }
  if (options.json) {
    *io.out << to_json(report) << "\n";
    return exit_done;
  }
  table.print(io);
  *io.out << "\n";
  for (const auto& name : report.remaining()) {
    if (options.replace || options.join) break;  // they have run before
    *io.out << "Where node " << name << " will run:  troupe init " << options.file << " --node "
            << name << " --id " << *id << "\n";
  }
  *io.out << "To start:  troupe "
          << (nodes.size() == manifest.nodes.size()
                  ? "up " + options.file
                  : "node " + options.file + " --name " +
                        (nodes.size() == 1 ? nodes.front() : "NAME"))
          << "\n";
  if (options.join)
    *io.out << "Then shards and leaders come to it by themselves:  troupe directory\n";
  if (options.replace)
    *io.out << "Then its replicas are taken in as new ones. When none is absent or catching up, it "
               "is whole:  troupe shards --manifest "
            << options.file << "\n";
  return exit_done;
}

}  // namespace troupe::cluster
