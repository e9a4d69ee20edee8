#include "simulations/rehearsal/hosting.hpp"

#include <utility>

#include "cluster/cluster_id.hpp"
#include "cluster/init.hpp"
#include "cluster/restore.hpp"
#include "runtime/storage/checksum.hpp"
#include "runtime/storage/shard_file.hpp"
#include "runtime/storage/sqlite.hpp"

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

// A checksum over all rows of a shard file, which nobody has open.
Result<std::uint64_t> rows_of(runtime::Disk& disk, const std::string& path) {
  TROUPE_TRY(database, runtime::Database::open(disk, path, {}));
  TROUPE_TRY(select,
             database->statement("SELECT bucket, entity, kind, sub, value, due_ms FROM rows "
                                 "ORDER BY bucket, entity, kind, sub"));
  std::uint64_t sum = 0;
  select->bind();
  for (;;) {
    TROUPE_TRY(more, select->next());
    if (!more) return sum;
    sum = runtime::checksum_of_numbers(sum, select->integer(0), runtime::checksum(select->blob(1)),
                                       select->integer(2), runtime::checksum(select->blob(3)),
                                       runtime::checksum(select->blob(4)), select->integer(5));
  }
}

Result<void> inspect_file(runtime::Disk& disk, const std::string& path, const std::string& shard,
                          const std::string& name, Hosting::Inspected& inspected) {
  std::uint64_t chain = 0;
  {
    TROUPE_TRY(file, runtime::ShardFile::open(disk, path, shard, false, {1u << 20}));
    TROUPE_TRY(found, file->verify());
    for (const auto& one : found) inspected.findings.push_back(name + ": " + one);
    chain = file->applied().chain;
  }
  TROUPE_TRY(rows, rows_of(disk, path));
  inspected.files[name] = {shard, chain, rows};
  return {};
}

Result<std::unique_ptr<SimulatedProcess>> inspect_files(runtime::Platform& platform,
                                                        const std::string& folder,
                                                        Hosting::Inspected& inspected) {
  TROUPE_TRY(names, platform.disk().list(folder));
  for (const auto& name : names) {
    const auto shard = shard_of_file(name);
    if (!shard) continue;
    if (const auto done =
            inspect_file(platform.disk(), folder + '/' + name, *shard, name, inspected);
        !done)
      inspected.findings.push_back(name + ": " + done.error().describe());
  }
  return std::unique_ptr<SimulatedProcess>(std::make_unique<Inspection>());
}

}  // namespace

Result<void> FirstStart::prepare(runtime::Platform& platform, const config::Manifest& manifest,
                                 const std::string& node, std::uint64_t seed) {
  auto& disk = platform.disk();
  if (from_) {
    TROUPE_TRY(whole, disk.exists(manifest.find_node(node)->data + "/node.txt"));
    if (whole) return {};
    cluster::RestoreSpec spec;
    spec.from = from_->disk;
    spec.folder = from_->folder;
    spec.disk = &disk;
    spec.manifest = &manifest;
    spec.services = from_->services;
    spec.nodes = {node};
    spec.cluster_id = from_->cluster_id;
    const auto restored = cluster::restore(spec);
    return restored ? Result<void>{} : restored.error();
  }
  if (done_ && !replaces_) return {};
  // A power cut may have come after the write.
  TROUPE_TRY(known, cluster::DataFolder::look(disk, manifest.find_node(node)->data));
  const auto membership = joins_  ? cluster::Membership::joiner
                          : done_ ? cluster::Membership::replacement
                                  : cluster::Membership::founder;
  if (!known)
    TROUPE_CHECK(cluster::create_cluster(disk, manifest, {node},
                                         cluster::make_cluster_id(seed, seed), membership));
  done_ = true;
  return {};
}

Hosting::Hosting(World& world, const config::Manifest& manifest, const config::Node& node,
                 const actors::ServiceRegistry& registry, bool replaces, bool joins)
    : world_(world),
      manifest_(manifest),
      node_(node),
      registry_(registry),
      first_start_(replaces, joins) {
  machine_ = &world.add(node.name, [this](runtime::Platform& platform) { return start(platform); });
}

Result<std::unique_ptr<SimulatedProcess>> Hosting::start(runtime::Platform& platform) {
  if (inspected_ != nullptr) return inspect_files(platform, node_.data + "/shards", *inspected_);
  TROUPE_CHECK(first_start_.prepare(platform, manifest_, node_.name, world_.seed()));
  TROUPE_TRY(node, cluster::Node::start(platform, manifest_, node_.name, registry_, formats_));
  return std::unique_ptr<SimulatedProcess>(new NodeProcess{std::move(node)});
}

cluster::Node& Hosting::node() const {
  return dynamic_cast<NodeProcess&>(*machine_->process()).node();
}

bool Hosting::ready() const {
  return machine_->up() && node().ready();
}

Result<Hosting::Inspected> Hosting::inspect() {
  Inspected inspected;
  inspected_ = &inspected;
  const auto started = world_.start(*machine_);
  inspected_ = nullptr;
  if (!started) return started.error();
  world_.crash(*machine_);
  return inspected;
}

}  // namespace troupe::simulations
