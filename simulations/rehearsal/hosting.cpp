#include "simulations/rehearsal/hosting.hpp"

#include <utility>

#include "cluster/cluster_id.hpp"
#include "cluster/init.hpp"
#include "runtime/storage/shard_file.hpp"

namespace troupe::simulations {

namespace {

// Ends as soon as it has started: what was to be done was done in the start.
class Inspection final : public SimulatedProcess {
 public:
  void stop() override {}
};

// "banking.v1.Accounts-3.g1.db" belongs to the shard "banking.v1.Accounts/3".
std::optional<std::string> shard_of_file(const std::string& name) {
  if (!name.ends_with(".db")) return std::nullopt;
  const auto generation = name.rfind(".g");
  const auto dash = name.rfind('-', generation);
  if (generation == std::string::npos || dash == std::string::npos) return std::nullopt;
  return name.substr(0, dash) + '/' + name.substr(dash + 1, generation - dash - 1);
}

Result<std::unique_ptr<SimulatedProcess>> inspect_files(runtime::Platform& platform,
                                                        const std::string& folder,
                                                        std::vector<std::string>& findings) {
  TROUPE_TRY(names, platform.disk().list(folder));
  for (const auto& name : names) {
    const auto shard = shard_of_file(name);
    if (!shard) continue;
    auto file =
        runtime::ShardFile::open(platform.disk(), folder + '/' + name, *shard, false, {1u << 20});
    if (!file) {
      findings.push_back(name + ": " + file.error().describe());
      continue;
    }
    const auto found = (*file)->verify();
    if (!found) {
      findings.push_back(name + ": " + found.error().describe());
      continue;
    }
    for (const auto& one : *found) findings.push_back(name + ": " + one);
  }
  return std::unique_ptr<SimulatedProcess>(std::make_unique<Inspection>());
}

}  // namespace

Result<void> FirstStart::prepare(runtime::Platform& platform, const config::Manifest& manifest,
                                 const std::string& node, std::uint64_t seed) {
  if (done_) return {};
  auto& disk = platform.disk();
  // A power cut may have come after the write.
  TROUPE_TRY(known, cluster::DataFolder::look(disk, manifest.find_node(node)->data));
  if (!known)
    TROUPE_CHECK(cluster::create_cluster(disk, manifest, {node},
                                         cluster::make_cluster_id(seed, seed), membership_));
  done_ = true;
  return {};
}

Hosting::Hosting(World& world, const config::Manifest& manifest, const config::Node& node,
                 const actors::ServiceRegistry& registry)
    : world_(world), manifest_(manifest), node_(node), registry_(registry) {
  machine_ = &world.add(node.name, [this](runtime::Platform& platform) { return start(platform); });
}

Result<std::unique_ptr<SimulatedProcess>> Hosting::start(runtime::Platform& platform) {
  if (findings_ != nullptr) return inspect_files(platform, node_.data + "/shards", *findings_);
  TROUPE_CHECK(first_start_.prepare(platform, manifest_, node_.name, world_.seed()));
  TROUPE_TRY(node, cluster::Node::start(platform, manifest_, node_.name, registry_));
  return std::unique_ptr<SimulatedProcess>(new NodeProcess{std::move(node)});
}

bool Hosting::ready() const {
  return machine_->up() && dynamic_cast<NodeProcess&>(*machine_->process()).node().ready();
}

Result<std::vector<std::string>> Hosting::inspect() {
  std::vector<std::string> findings;
  findings_ = &findings;
  const auto started = world_.start(*machine_);
  findings_ = nullptr;
  if (!started) return started.error();
  world_.crash(*machine_);
  return findings;
}

}  // namespace troupe::simulations
