// `troupe recover`: goes on from the nodes that are left when a majority is gone for good.
#include <algorithm>
#include <istream>

#include "cluster/admin.pb.h"
#include "cluster/cli/command/ask.hpp"
#include "cluster/cli/command/human.hpp"
#include "cluster/cli/command/manifest_file.hpp"
#include "cluster/cli/command/table.hpp"
#include "cluster/recovery/recovery_plan.hpp"

namespace troupe::cluster {
namespace {

constexpr const char* recovery_path = "/v1/recovery";

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

bool has_name(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

std::string listed(const std::vector<Target>& nodes) {
  std::string text;
  for (const Target& node : nodes) text += (text.empty() ? "" : ", ") + node.node;
  return text;
}

// The nodes that are left; nothing after a complaint.
std::vector<Target> survivors_of(const CliIo& io, const RecoverOptions& options,
                                 const std::vector<Target>& members) {
  for (const auto& name : options.lost) {
    if (std::ranges::find(members, name, &Target::node) != members.end()) continue;
    *io.err << "troupe: the cluster of " << options.manifest << " has no node "
            << config::in_quotes(harmless(name)) << "; it has " << harmless(listed(members))
            << "\n";
    return {};
  }
  std::vector<Target> left;
  for (const Target& node : members)
    if (!has_name(options.lost, node.node)) left.push_back(node);
  if (left.empty())
    *io.err << "troupe: no node would be left: restore the data folders from a backup\n";
  return left;
}

// Whether one that is said to be lost answers.
bool one_lives(const CliIo& io, const std::vector<Target>& lost, config::Duration timeout) {
  std::vector<char> lives(lost.size());
  at_once(lost.size(), [&](std::size_t i) {
    NodeStatus status;
    lives[i] = !lost[i].address.host.empty() &&
               ask_node(lost[i].address, "/v1/status", timeout, status).has_value() &&
               status.node() == lost[i].node;
  });
  for (std::size_t i = 0; i < lives.size(); ++i)
    if (lives[i])
      *io.err
          << "troupe: node " << lost[i].node
          << " lives: it answers on its admin address. Nothing was changed. Stop it if it shall "
             "be given up, else leave it out of --lost\n";
  return std::ranges::find(lives, 1) != lives.end();
}

// Nullopt after a complaint.
std::optional<std::vector<RecoveryView>> look(const CliIo& io, const config::Manifest& manifest,
                                              const std::vector<Target>& left,
                                              config::Duration timeout) {
  std::vector<Result<RecoveryView>> answers(left.size(), RecoveryView{});
  at_once(left.size(), [&](std::size_t i) {
    const auto asked = ask_node(left[i].address, recovery_path, timeout, *answers[i]);
    if (!asked) answers[i] = asked.error();
  });
  std::vector<RecoveryView> views;
  bool all = true;
  for (std::size_t i = 0; i < left.size(); ++i) {
    if (!answers[i]) {
      complain(io, left[i], answers[i].error());
      *io.err << "    Start it, or name it in --lost if it is gone for good as well\n";
      all = false;
    } else if (answers[i]->cluster() != manifest.cluster.name ||
               answers[i]->node() != left[i].node) {
      *io.err << "troupe: on " << left[i].address.to_string() << " is node "
              << harmless(answers[i]->node()) << " of cluster "
              << config::in_quotes(harmless(answers[i]->cluster())) << ", not node " << left[i].node
              << " of " << config::in_quotes(manifest.cluster.name)
              << "; correct the node's 'admin' in the manifest\n";
      all = false;
    } else {
      views.push_back(*std::move(answers[i]));
    }
  }
  if (!all) return std::nullopt;
  return views;
}

void print_hopeless(std::ostream& to, const RecoveryPlan& plan) {
  for (const auto& name : plan.hopeless)
    to << harmless(name) << ": no replica is left; restore a backup.\n";
}

void print_plan(const CliIo& io, const RecoverOptions& options, const RecoveryPlan& plan) {
  constexpr auto right = Table::Align::right;
  *io.out << "Given up for good: " << joined(options.lost) << "\n\n";
  Table table{{{"SERVICE"},
               {"SHARD", right},
               {"VOTERS"},
               {"LEFT"},
               {"TERM", right},
               {"LAST", right},
               {"COMMITTED", right},
               {"GOES ON FROM"}}};
  for (const auto& group : plan.groups)
    for (const auto& [node, replica] : group.survivors)
      table.add({{group.service, Tint::strong},
                 std::to_string(group.shard),
                 joined(group.voters),
                 node,
                 std::to_string(replica.last_term()),
                 human_count(replica.last_index()),
                 human_count(replica.commit_index()),
                 node == group.survivors.front().node ? Cell{node, Tint::good} : Cell{""}});
  table.print(io);
  *io.out << "\nEach of these " << plan.groups.size()
          << " groups goes on from the one replica that is named, alone, with all of its log.\n"
             "LOST: what the nodes above acknowledged and this replica does not have.\n"
             "POSSIBLE: commands that nobody acknowledged take effect.\n"
             "From now on the nodes above must not run with the data that they had.\n";
  if (plan.healthy > 0)
    *io.out << plan.healthy << " more have a leader or a majority and are left alone.\n";
  print_hopeless(*io.out, plan);
  *io.out << std::flush;
}

bool confirmed(const CliIo& io, const RecoverOptions& options, const config::Manifest& manifest) {
  const auto& name = manifest.cluster.name;
  if (!options.yes.empty()) return options.yes == name;
  *io.err << "Type the name of the cluster to do it: " << std::flush;
  std::string typed;
  if (io.in) std::getline(*io.in, typed);
  return typed == name;
}

// False after a complaint.
bool order(const CliIo& io, const Target& target, const RecoveryRequest& request,
           config::Duration timeout) {
  RecoveryReport report;
  if (const auto ordered = order_node(target.address, recovery_path, request, timeout, report);
      !ordered) {
    complain(io, target, ordered.error());
    return false;
  }
  bool all = true;
  for (const auto& result : report.results()) {
    if (result.reason().empty()) continue;
    *io.err << "troupe: node " << target.node << ": " << harmless(result.service()) << "/"
            << result.shard() << ": " << harmless(result.message()) << "\n";
    all = false;
  }
  return all;
}

}  // namespace

int run_recover(const CliIo& io, const RecoverOptions& options) {
  const auto timeout = read_time(io, "--timeout", options.timeout);
  if (!timeout) return exit_usage;
  const auto manifest = load_or_complain(io, options.manifest, std::nullopt);
  if (!manifest) return exit_usage;
  if (!options.yes.empty() && options.yes != manifest->cluster.name) {
    *io.err << "troupe: --yes " << config::in_quotes(harmless(options.yes))
            << " is not the name of the cluster in " << options.manifest
            << ". Nothing was changed\n";
    return exit_usage;
  }
  Targets targets;
  targets.timeout = *timeout;
  for (const auto& node : manifest->nodes)
    targets.targets.push_back({node.name, reachable(node.admin)});
  std::vector<Target> lost = members_of(targets);
  const auto left = survivors_of(io, options, lost);
  if (left.empty()) return exit_usage;
  std::erase_if(lost, [&](const Target& one) { return !has_name(options.lost, one.node); });
  if (one_lives(io, lost, *timeout)) return exit_failed;
  const auto views = look(io, *manifest, left, *timeout);
  if (!views) return exit_failed;
  const auto plan = plan_recovery(*views, options.lost);
  if (!plan) {
    *io.err << "troupe: " << harmless(plan.error().message) << "\n";
    return exit_failed;
  }
  if (plan->groups.empty()) {
    *io.err << "troupe: nothing to recover: " << plan->healthy
            << " groups have a leader or a majority. Nothing was changed\n";
    print_hopeless(*io.err, *plan);
    return exit_failed;
  }
  print_plan(io, options, *plan);
  if (!confirmed(io, options, *manifest)) {
    *io.err << "troupe: not confirmed: that is not the cluster's name, "
            << config::in_quotes(manifest->cluster.name)
            << " (--yes NAME says it in a script). Nothing was changed\n";
    return exit_failed;
  }
  bool all = true;
  for (std::size_t i = 0; i < left.size(); ++i) {
    const auto request = order_of(*plan, (*views)[i], options.lost);
    if (request.acts_size() > 0) all = order(io, left[i], request, *timeout) && all;
  }
  if (!all) {
    *io.err << "troupe: not every group goes on; what was done is done. Look with 'troupe shards "
               "--manifest "
            << options.manifest << "', then run this again\n";
    return exit_failed;
  }
  *io.out << "\n"
          << plan->groups.size()
          << " groups are led again, and take other replicas in by themselves. Give the lost nodes "
             "empty folders with 'troupe init --replace' and start them.\n";
  const bool directory = std::ranges::any_of(plan->groups, [](const RecoveryPlan::Group& group) {
    return group.service.starts_with("troupe.directory.");
  });
  if (directory)
    *io.out
        << "The directory is kept by what is left of its nodes. Those that do not come back are "
           "replaced by 'troupe control replace NODE --by OTHER'.\n";
  return exit_done;
}

}  // namespace troupe::cluster
