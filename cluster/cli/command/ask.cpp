#include "cluster/cli/command/ask.hpp"

#include <algorithm>
#include <thread>

#include "cluster/cli/command/manifest_file.hpp"
#include "cluster/directory/table.pb.h"

namespace troupe::cluster {

std::optional<config::Duration> read_time(const CliIo& io, const std::string& option,
                                          const std::string& text) {
  const auto parsed = config::parse_duration(text);
  if (parsed && *parsed > config::Duration::zero() && *parsed <= std::chrono::hours{1})
    return *parsed;
  *io.err << "troupe: " << option << " \"" << harmless(text)
          << "\" is not a duration above 0s and up to 1h; write 500ms or 5s\n";
  return std::nullopt;
}

std::optional<Targets> targets_of(const CliIo& io, const AskOptions& options) {
  const auto timeout = read_time(io, "--timeout", options.timeout);
  const auto interval = timeout ? read_time(io, "--every", options.interval) : std::nullopt;
  if (!interval) return std::nullopt;
  Targets result;
  result.timeout = *timeout;
  result.interval = *interval;

  if (!options.manifest.empty()) {
    const auto manifest = load_or_complain(io, options.manifest, std::nullopt);
    if (!manifest) return std::nullopt;
    result.manifest = true;
    for (const auto& node : manifest->nodes)
      result.targets.push_back({node.name, reachable(node.admin)});
    return result;
  }

  std::string text = options.admin, source = "--admin";
  if (text.empty()) {
    text = io.environment("TROUPE_ADMIN").value_or("");
    source = "the environment variable TROUPE_ADMIN";
  }
  if (text.empty()) text = default_admin;
  const auto address = config::parse_address(text);
  if (!address) {
    *io.err << "troupe: " << source << ": " << address.error().message << "\n    "
            << address.error().hint << "\n";
    return std::nullopt;
  }
  result.targets.push_back({"", reachable(*address)});
  return result;
}

namespace {

// Where a node's admin page is, seen from another machine: a node that listens everywhere is found
// where other nodes find it.
config::Address admin_of(const DirectoryNode& node) {
  const auto admin = config::parse_address(node.admin());
  if (!admin || admin->port == 0) return {};
  const auto mesh = config::parse_address(node.mesh());
  if (!admin->wildcard() || !mesh || mesh->wildcard()) return reachable(*admin);
  return {mesh->host, admin->port};
}

}  // namespace

std::vector<Target> members_of(const Targets& targets) {
  constexpr config::Duration patience = std::chrono::seconds{2};  // this is only to ask better
  std::vector<DirectoryView> views(targets.targets.size());
  at_once(views.size(), [&](std::size_t i) {
    const Target& target = targets.targets[i];
    if (!ask_node(target.address, "/v1/directory", std::min(targets.timeout, patience), views[i]))
      views[i].Clear();
  });
  const auto newest = std::ranges::max_element(
      views, {}, [](const DirectoryView& view) { return view.table().version(); });
  std::vector<Target> members = targets.targets;
  if (newest == views.end()) return members;
  for (const DirectoryNode& node : newest->table().nodes()) {
    const bool removed = node.state() == DirectoryNode::REMOVED;
    const auto known = std::ranges::find(members, node.name(), &Target::node);
    if (removed && known != members.end()) members.erase(known);
    if (!removed && known == members.end()) members.push_back({node.name(), admin_of(node)});
  }
  return members;
}

Result<ClusterAnswer> ask_cluster(const Target& target, const std::string& path,
                                  config::Duration timeout) {
  ClusterAnswer answer;
  const std::string of_all = "/v1/cluster" + path.substr(std::string_view{"/v1"}.size());
  TROUPE_CHECK(ask_node(target.address, of_all, timeout, answer));
  return answer;
}

namespace {

template <class Answer>
Result<void> take_part(const NodeAnswer& said, bool has_it, const Answer& part, Answer& answer) {
  if (!has_it) return unavailable(said.reason(), said.message());
  answer = part;
  return {};
}

}  // namespace

Result<void> take(const NodeAnswer& said, NodeStatus& answer) {
  return take_part(said, said.has_status(), said.status(), answer);
}
Result<void> take(const NodeAnswer& said, TreeNode& answer) {
  return take_part(said, said.has_tree(), said.tree(), answer);
}
Result<void> take(const NodeAnswer& said, ShardList& answer) {
  return take_part(said, said.has_shards(), said.shards(), answer);
}

void at_once(std::size_t jobs, const std::function<void(std::size_t job)>& run) {
  std::vector<std::thread> threads;
  for (std::size_t job = 1; job < jobs; ++job) threads.emplace_back(run, job);
  if (jobs > 0) run(0);
  for (auto& thread : threads) thread.join();
}

void complain(const CliIo& io, const Target& target, const Error& error) {
  *io.err << "troupe: " << (target.node.empty() ? "" : "node " + target.node + ": ")
          << harmless(error.message) << "\n";
}

Tint tint_of_state(const std::string& state) {
  if (state == "serving" || state == "running") return Tint::good;
  if (state == "failed" || state == "degraded" || state == "unreachable") return Tint::bad;
  return Tint::warning;
}

}  // namespace troupe::cluster
