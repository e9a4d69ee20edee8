#include "cluster/cli/command/folders.hpp"

#include <algorithm>

#include "cluster/cli/command/manifest_file.hpp"

namespace troupe::cluster {
namespace {

bool is_empty(const Member& member) {
  return member.identity && !*member.identity;
}

// "n1 (./data/n1), n2 (./data/n2)"
std::string list_of(const std::vector<Member>& members) {
  std::string text;
  for (const Member& member : members)
    text += (text.empty() ? "" : ", ") + member.node + " (" + harmless(member.folder) + ")";
  return text;
}

bool create_here(const CliIo& io, const CliHooks& hooks, const config::Manifest& manifest) {
  std::vector<std::string> all;
  for (const auto& node : manifest.nodes) all.push_back(node.name);
  const auto id = hooks.create_cluster(manifest, all, "", Membership::founder);
  if (!id) {
    *io.err << "troupe: " << harmless_lines(id.error().describe()) << "\n";
    return false;
  }
  *io.err << "troupe: created the cluster " << manifest.cluster.name << " (" << *id
          << "): every data folder was empty\n"
          << std::flush;
  return true;
}

void complain_of_empty(const CliIo& io, const std::string& file, const std::vector<Member>& empty,
                       const std::vector<Member>& taken) {
  *io.err << "troupe: " << list_of(empty) << (empty.size() == 1 ? " has" : " have") << " no data"
          << (taken.empty() ? "" : ", but " + list_of(taken))
          << (taken.empty()       ? ""
              : taken.size() == 1 ? " has"
                                  : " have")
          << ". ";
  if (taken.empty()) {
    *io.err << "The nodes of " << file
            << " are on several machines, where a cluster is created by hand:\n    troupe init "
            << file << " --node " << empty.front().node << "\n";
    return;
  }
  *io.err << "A node whose data is lost must not start as if it had never run: mount its disk or "
             "restore its folder. If that cannot be, or if it never ran:\n";
  for (const Member& member : empty)
    say_how_to_join(io, file, member.node, (*taken.front().identity)->cluster_id);
}

}  // namespace

void say_how_to_join(const CliIo& io, const std::string& file, const std::string& node,
                     const std::string& cluster_id) {
  const std::string command = "    troupe init " + file + " --node " + node + " --id " + cluster_id;
  *io.err << command << " --replace   (lost its data)\n"
          << command << "   (never ran)\n"
          << "    troupe init " + file + " --node " + node + " --join   (is new)\n";
}

std::optional<FoldersToFill> folders_to_fill(const CliIo& io, const CliHooks& hooks,
                                             const FoldersWanted& wanted) {
  auto manifest = load_or_complain(io, wanted.file, hooks.services);
  if (!manifest) return std::nullopt;
  for (const auto& name : wanted.nodes) {
    if (manifest->find_node(name)) continue;
    *io.err << "troupe: " << wanted.file << " has no node " << config::in_quotes(harmless(name))
            << "; it has " << names_of(*manifest) << "\n";
    return std::nullopt;
  }
  FoldersToFill chosen{*std::move(manifest), wanted.nodes};
  if (chosen.nodes.empty()) {
    for (const auto& node : chosen.manifest.nodes) chosen.nodes.push_back(node.name);
    if (!chosen.manifest.on_one_machine()) {
      *io.err
          << "troupe: the nodes of " << wanted.file
          << " are on several machines: run this on one of them with --node and its node's name; "
             "it prints what to type on the others\n    "
          << wanted.command << " --node " << chosen.nodes.front() << "\n";
      return std::nullopt;
    }
  }
  if (wanted.data.empty()) return chosen;
  if (chosen.nodes.size() != 1) {
    *io.err << "troupe: --data is one node's folder: give --node with its name\n";
    return std::nullopt;
  }
  for (auto& node : chosen.manifest.nodes)
    if (node.name == chosen.nodes.front()) node.data = wanted.data;
  return chosen;
}

bool folders_are_ready(const CliIo& io, const CliHooks& hooks, const std::string& file,
                       const config::Manifest& manifest, const std::vector<std::string>& nodes) {
  const bool all_here = manifest.on_one_machine();
  std::vector<Member> empty;
  std::vector<Member> taken;
  bool needed_is_empty = false;
  for (Member& member : hooks.members(manifest)) {
    const bool needed = std::ranges::find(nodes, member.node) != nodes.end();
    if (!needed && !all_here) continue;
    if (!member.identity) {
      if (!needed) continue;
      *io.err << "troupe: " << harmless_lines(member.identity.error().describe()) << "\n";
      return false;
    }
    needed_is_empty = needed_is_empty || (needed && is_empty(member));
    (is_empty(member) ? empty : taken).push_back(std::move(member));
  }
  if (needed_is_empty) {
    if (all_here && empty.size() == manifest.nodes.size()) return create_here(io, hooks, manifest);
    complain_of_empty(io, file, empty, taken);
    return false;
  }
  for (const Member& member : taken) {
    const auto& first = **taken.front().identity;
    if ((*member.identity)->cluster_id == first.cluster_id) continue;
    *io.err << "troupe: FOLDER_FOREIGN: " << harmless(member.folder) << " of node " << member.node
            << " is of the cluster " << (*member.identity)->cluster_id << ", but "
            << harmless(taken.front().folder) << " of node " << taken.front().node << " is of "
            << first.cluster_id << ": they are two clusters and cannot run as one\n";
    return false;
  }
  return true;
}

}  // namespace troupe::cluster
