// Nodes of the cluster on the machines of a world: started as an operator's service manager would,
// and looked into when they have stopped.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cluster/node.hpp"
#include "config/manifest.hpp"
#include "simulations/world/world.hpp"

namespace troupe::simulations {

class NodeProcess final : public SimulatedProcess {
 public:
  explicit NodeProcess(std::unique_ptr<cluster::Node> node) : node_(std::move(node)) {}
  void stop() override {
    node_->stop([] {});
  }
  cluster::Node& node() { return *node_; }

 private:
  std::unique_ptr<cluster::Node> node_;
};

// Of what a new cluster is made on machines that have lost everything.
struct RestoreFrom {
  runtime::Disk* disk = nullptr;
  std::string folder;
  std::string cluster_id;
  std::vector<std::string> services;
};

// What an operator does before a machine's node starts for the first time: gives its folder the
// identity of the world's cluster. Through as many power cuts as it takes, and never again after
// that: a machine that lost its disk has an empty folder, and its node says so. In a cluster that
// survives such a loss the operator then gives it the identity of a replacement. A latecomer joins
// a cluster that runs; when it has lost its disk, it joins once more.
class FirstStart {
 public:
  explicit FirstStart(bool replaces = false, bool joins = false)
      : replaces_(replaces), joins_(joins) {}
  Result<void> prepare(runtime::Platform& platform, const config::Manifest& manifest,
                       const std::string& node, std::uint64_t seed);
  // The next start is the first one of another cluster.
  void restore(RestoreFrom from) { from_ = std::move(from); }

 private:
  bool replaces_;
  bool joins_;
  bool done_ = false;
  std::optional<RestoreFrom> from_;
};

// One machine that runs a node of the manifest.
class Hosting {
 public:
  // The machine gets the node's name. `registry` outlives the world. `replaces`: if it loses its
  // disk, it comes back as a replacement. `joins`: the cluster is there when it starts first.
  Hosting(World& world, const config::Manifest& manifest, const config::Node& node,
          const actors::ServiceRegistry& registry, bool replaces = false, bool joins = false);

  Machine& machine() { return *machine_; }
  bool ready() const;
  void restore(RestoreFrom from) { first_start_.restore(std::move(from)); }
  // Its program, from its next start on, reads these formats.
  void reads(std::vector<std::string> formats) { formats_ = std::move(formats); }
  // Of the process that runs.
  cluster::Node& node() const;

  struct Inspected {
    // Everything that ShardFile::verify() and SQLite's integrity check find in the node's shard
    // files, and each file that cannot be opened.
    std::vector<std::string> findings;
    struct File {
      std::string shard;
      std::uint64_t chain;  // of the batches that are applied to it
      std::uint64_t rows;   // checksum over all of its rows
    };
    std::map<std::string, File> files;  // by name
  };
  // The machine must be down; it is up again for no time.
  Result<Inspected> inspect();

 private:
  Result<std::unique_ptr<SimulatedProcess>> start(runtime::Platform& platform);

  World& world_;
  const config::Manifest& manifest_;
  const config::Node& node_;
  const actors::ServiceRegistry& registry_;
  Machine* machine_ = nullptr;
  FirstStart first_start_;
  std::vector<std::string> formats_ = cluster::formats_read();
  Inspected* inspected_ = nullptr;  // while it is
};

}  // namespace troupe::simulations
