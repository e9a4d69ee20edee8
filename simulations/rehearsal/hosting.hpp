// Nodes of the cluster on the machines of a world: started as an operator's service manager would,
// and looked into when they have stopped.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cluster/data_folder.hpp"
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

// What an operator does once, before a machine's node starts for the first time: gives its folder
// the identity of the world's cluster. Through as many power cuts as it takes, and never again
// after that: a machine that lost its disk has an empty folder, and its node says so.
class FirstStart {
 public:
  Result<void> prepare(runtime::Platform& platform, const config::Manifest& manifest,
                       const std::string& node, std::uint64_t seed);

  // `troupe init --replace`, before the next start.
  void replace() {
    done_ = false;
    membership_ = cluster::Membership::replacement;
  }

 private:
  bool done_ = false;
  cluster::Membership membership_ = cluster::Membership::founder;
};

// One machine that runs a node of the manifest.
class Hosting {
 public:
  // The machine gets the node's name. `registry` outlives the world.
  Hosting(World& world, const config::Manifest& manifest, const config::Node& node,
          const actors::ServiceRegistry& registry);

  Machine& machine() { return *machine_; }
  bool ready() const;

  // The machine lost its disk: its folder is made a replacement's before the next start.
  void replace() { first_start_.replace(); }

  // Everything that ShardFile::verify() and SQLite's integrity check find in the node's shard
  // files, and each file that cannot be opened. The machine must be down; it is up again for no
  // time.
  Result<std::vector<std::string>> inspect();

 private:
  Result<std::unique_ptr<SimulatedProcess>> start(runtime::Platform& platform);

  World& world_;
  const config::Manifest& manifest_;
  const config::Node& node_;
  const actors::ServiceRegistry& registry_;
  Machine* machine_ = nullptr;
  FirstStart first_start_;
  std::vector<std::string>* findings_ = nullptr;  // while it is inspected
};

}  // namespace troupe::simulations
