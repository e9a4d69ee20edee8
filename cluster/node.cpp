#include "cluster/node.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/send.hpp>
#include <map>
#include <mutex>
#include <utility>

#include "actors/routes.hpp"
#include "actors/shard/shard_actor.hpp"
#include "cluster/data_folder.hpp"
#include "cluster/directory/service.hpp"
#include "cluster/hosted.hpp"
#include "cluster/node_admin.hpp"
#include "cluster/node_backup.hpp"
#include "cluster/node_directory.hpp"
#include "cluster/node_links.hpp"
#include "cluster/node_load.hpp"
#include "cluster/node_policies.hpp"
#include "cluster/node_recovery.hpp"
#include "cluster/node_shards.hpp"
#include "cluster/node_splits.hpp"
#include "cluster/node_tree.hpp"
#include "cluster/placement.hpp"
#include "cluster/replication/raft_group.hpp"
#include "cluster/router.hpp"

namespace troupe::cluster {
namespace {

class NodeConfig : public caf::actor_system_config {
 public:
  explicit NodeConfig(runtime::Platform& platform) { platform.configure(*this); }
};

// Members are destroyed in reverse order: actors first, then what they stand on.
class NodeImpl final : public Node {
 public:
  NodeImpl(runtime::Platform& platform, const config::Manifest& manifest, const config::Node& node,
           DataFolder folder, std::unique_ptr<runtime::NodeLog> log,
           const actors::ServiceRegistry& registry)
      : platform_(platform),
        folder_(std::move(folder)),
        log_(std::move(log)),
        router_(platform, {.node = node.name}),
        ranges_(folder_.restored() ? folder_.restored()->ranges : BucketRanges{}),
        manifest_places_(place_services(manifest, registry, ranges_)),
        hosted_(platform, manifest, node, registry, folder_.shards(), ranges_),
        loads_(platform, hosted_),
        shards_(std::make_shared<NodeShards>(
            NodeShardsSpec{&platform, log_.get(), node.name, &places_, &hosted_, &router_})),
        links_(platform),
        config_(platform),
        system_(config_) {
    known_ =
        DirectoryCache::load(platform.disk(), folder_.directory(), folder_.identity().cluster_id);
    for (const actors::Service& service : registry.all()) place(*service.type);
  }

  ~NodeImpl() override { shards_->close(); }

  Result<void> build(const config::Manifest& manifest, const config::Node& node,
                     const actors::ServiceRegistry& registry,
                     const std::vector<std::string>& formats) {
    TROUPE_CHECK(can_read(known_, formats, node.name));
    std::map<std::string, DataFolder::Shards> shards;
    for (const auto services = hosted_.now(); const HostedService& service : *services) {
      const std::string& name = service.service->type->name;
      shards[name] = {service.settings.shards,
                      known_.version() > 0 ? 0 : checksum_of(manifest_places_.at(name))};
    }
    TROUPE_CHECK(folder_.keep_shards(shards));
    const auto admission = std::make_shared<Admission>(
        platform_, types_of(registry),
        [&](const std::string& service) { return manifest.service(service).admission; });
    policies_ = std::make_unique<NodePolicies>(
        NodePoliciesSpec{&platform_, manifest, node.name, &hosted_, shards_.get(), admission});
    policies_->take(known_);
    TROUPE_CHECK(shards_->begin());
    TROUPE_CHECK(links_.listen(manifest, node, folder_.identity().cluster_id, router_));
    TROUPE_CHECK(join_directory(manifest, node, registry, formats));
    split_shards(node.name);
    RaftOptions raft;
    raft.node = node.name;
    raft.snapshot_threshold = manifest.storage.checkpoint_entries;
    raft.exchange = &links_.exchange();
    raft.may_create = folder_.identity().membership == Membership::founder;
    raft.voters = [this, name = node.name](runtime::GroupId group) {
      const Replicas founders = founders_of(group);
      // Made here alone: the id is drawn, because one that began here before and was lost may be
      // known elsewhere by now.
      const bool ours = founders.empty() || (founders.size() == 1 && founders.front().node == name);
      return ours ? Replicas{} : founders;
    };
    raft.places = [this](runtime::GroupId group) { return places_of(group); };
    if (folder_.restored())
      raft.base = [this](runtime::GroupId group) {
        return restored_base(*folder_.restored(), manifest_places_, group);
      };
    raft.trailing = manifest.storage.checkpoint_entries;
    std::vector<std::string> others;
    for (const config::Node& other : manifest.nodes)
      if (other.name != node.name) others.push_back(other.name);
    raft.others = [this, others] { return directory_->others(others); };
    tree_ = actors::SupervisionTree::make("node");
    admin_ = std::make_unique<NodeAdmin>(platform_, manifest, node, *log_, hosted_, loads_, tree_);
    NodeRecoverySpec recovery;
    recovery.platform = &platform_;
    recovery.cluster = manifest.cluster.name;
    recovery.cluster_id = folder_.identity().cluster_id;
    recovery.node = node.name;
    recovery.exchange = &links_.exchange();
    recovery.hosted = &hosted_;
    recovery.router = &router_;
    recovery.others = raft.others;
    recovery.placed = [this] { return placed(); };
    recovery.directory = [this] { return directory_->hosted_here(); };
    recovery_ = std::make_unique<NodeRecovery>(std::move(recovery));
    backup_ = std::make_unique<NodeBackup>(
        NodeBackupSpec{&platform_, node.name, &hosted_, &router_, links_.mesh(),
                       [this, cluster = manifest.cluster.name] { return survey(cluster); }});
    admin_->recovers_with(*recovery_);
    admin_->backs_up_with(*backup_);
    admin_->routes_with(router_);
    admin_->knows(directory_.get());
    admin_->reach(*links_.mesh());
    TROUPE_TRY(servers, NodeServers::listen(platform_, manifest, node, router_, registry, *admin_,
                                            admission));
    servers_ = std::move(servers);
    admin_->listens_on(servers_.gateway_address, servers_.grpc_address, servers_.admin_address);
    log().info("node.listening", "node " + node.name + " listens; its shards are starting",
               {{"admin", servers_.admin_address.to_string()},
                {"gateway", servers_.gateway_address ? servers_.gateway_address->to_string() : ""},
                {"grpc", servers_.grpc_address ? servers_.grpc_address->to_string() : ""}});
    admin_->when_ready(servers_.readiness_changed);

    NodeTreeSpec spec;
    spec.platform = &platform_;
    spec.tree = tree_;
    spec.log = log_.get();
    spec.log_segments_max = manifest.storage.log_segments;
    spec.consensus = make_raft_factory(platform_, *log_, raft);
    spec.router = &router_;
    spec.mesh = links_.mesh();
    spec.directory = directory_.get();
    spec.hosted = &hosted_;
    spec.shards = shards_.get();
    spec.splits = splits_;
    spec.servers = &servers_;
    spec.admin = admin_.get();
    spec.drain = manifest.gateway.drain_timeout;
    root_ = spawn_node_tree(system_, spec);
    caf::actor_cast<caf::abstract_actor*>(root_)->attach_functor(
        [this](const caf::error& reason) { root_ended(reason); });
    return {};
  }

  void when_ready(std::function<void()> ready) override { admin_->when_ready(std::move(ready)); }
  bool ready() const override { return admin_->ready().has_value(); }

  void stop(std::function<void()> stopped) override {
    {
      const std::lock_guard guard{mutex_};
      if (!ended_) {
        stopped_ = std::move(stopped);
        admin_->stopping();
        return hand_over_and_end();
      }
    }
    stopped();
  }

  actors::Client& client() override { return router_; }
  caf::actor_system& system() override { return system_; }
  Places& places() override { return places_; }
  void hand_over(const std::string& service, std::uint32_t shard, const std::string& node,
                 std::shared_ptr<void> ticket) override {
    shards_->hand_over(service, shard, node, std::move(ticket));
  }
  std::optional<runtime::Address> gateway() const override { return servers_.gateway_address; }
  runtime::Address admin() const override { return servers_.admin_address; }

 private:
  runtime::Logger& log() { return platform_.log(); }
  static Replicas nobody() { return {RaftVoter{1, {}}}; }

  // Where the shards of a service are when the node starts: as the directory had it when the node
  // last ran, else as the manifest makes a cluster. A node that joins waits for the directory; so
  // does one that lost its data, with the groups that it once made alone: they may have moved.
  void place(const actors::ServiceType& type) {
    const bool waits = known_.version() > 0 || folder_.identity().membership == Membership::joiner;
    std::vector<std::vector<std::string>> replicas;
    for (const Replicas& founders : manifest_places_.at(type.name)) {
      const auto shard = static_cast<std::uint32_t>(replicas.size());
      auto& nodes = replicas.emplace_back();
      Replicas& voters = founders_[group_of(type.name, shard)];
      if (const DirectoryShard* told = find_shard(known_, type.name, shard)) {
        nodes.assign(told->nodes().begin(), told->nodes().end());
        voters = told->founding() ? first_voters(group_of(type.name, shard), nodes) : nobody();
        places_.set({type.name, shard, nodes, told->version()});
        continue;
      }
      for (const RaftVoter& founder : founders) nodes.push_back(founder.node);
      voters = waits ? nobody() : founders;
      const bool may_have_moved =
          founders.size() == 1 && folder_.identity().membership == Membership::replacement;
      if (!waits && !may_have_moved) places_.set({type.name, shard, nodes, 0});
    }
    const auto first_ones = static_cast<std::uint32_t>(replicas.size());
    if (!replicas.empty() && !replicas.front().empty())
      router_.add_service(type, std::move(replicas),
                          first_buckets_of(type.name, first_ones, ranges_));
    place_split_off(known_, type.name, first_ones, router_, places_);
  }

  void split_shards(const std::string& node) {
    NodeSplitsSpec spec{&platform_, log_.get(),    &places_, &hosted_,
                        &router_,   shards_.get(), node,     {}};
    spec.over = [this](const std::string& service, std::uint32_t parent,
                       const wire::ShardSplit& split) {
      directory_->split_is_over(service, parent, split);
    };
    splits_ = std::make_shared<NodeSplits>(std::move(spec));
    splits_->take(known_);
  }

  Result<void> join_directory(const config::Manifest& manifest, const config::Node& node,
                              const actors::ServiceRegistry& registry,
                              const std::vector<std::string>& formats) {
    NodeDirectorySpec spec;
    spec.platform = &platform_;
    spec.manifest = &manifest;
    spec.node = &node;
    spec.registry = &registry;
    spec.folder = &folder_;
    spec.known = &known_;
    spec.log = log_.get();
    spec.incarnation = links_.incarnation();
    spec.formats = formats;
    spec.router = &router_;
    spec.mesh = links_.mesh();
    spec.policies = policies_.get();
    spec.linked = [this](const std::string& other) { return links_.exchange().linked(other); };
    spec.changed = [this](const DirectoryTable& newer) {
      places_.take(newer);
      splits_->take(newer);
      policies_->take(newer);
    };
    spec.report = [this](DirectoryCall& call) { loads_.report(call); };
    spec.transfer = [this](const LeadershipOrder& order) {
      shards_->hand_over(order.service(), order.shard(), order.node(), nullptr);
    };
    directory_ = std::make_unique<NodeDirectory>(std::move(spec));
    founders_[directory_group] = directory_->founders();
    return directory_->begin();
  }

  // All shards that there are, "SERVICE/SHARD".
  std::vector<std::string> placed() const {
    std::vector<std::string> names;
    const auto known = directory_->table();
    if (known->version() > 0) {
      for (const DirectoryShard& shard : known->shards())
        names.push_back(shard.service() + "/" + std::to_string(shard.shard()));
    } else {
      for (const auto& [name, places] : manifest_places_)
        for (std::size_t shard = 0; shard < places.size(); ++shard)
          names.push_back(name + "/" + std::to_string(shard));
    }
    names.push_back(directory_->hosted().shards.front().spec.name());
    return names;
  }

  BackupSurvey survey(const std::string& cluster) const {
    const auto table = directory_->table();
    return backup_survey(cluster, folder_.identity(), table.get(), manifest_places_, ranges_);
  }

  // Who makes a group that the node's log does not know; none: nobody has said anything of it. A
  // service that came into the directory while the node ran is made as the table says.
  Replicas founders_of(runtime::GroupId group) const {
    const auto found = founders_.find(group);
    // One of a shard that was split off is never made like this (cluster/node_splits.hpp).
    if (found == founders_.end()) return nobody();
    if (found->second.empty()) return {};
    const bool elsewhere = found->second.front().node.empty();
    const auto told = elsewhere ? directory_->table() : nullptr;
    for (int i = 0; told && i < told->shards_size(); ++i) {
      const DirectoryShard& shard = told->shards(i);
      if (shard.founding() && group_of(shard.service(), shard.shard()) == group)
        return first_voters(group, {shard.nodes().begin(), shard.nodes().end()});
    }
    return found->second;
  }

  // Nobody has to leave a place that nobody has spoken about.
  RaftPlaces places_of(runtime::GroupId group) const {
    if (group == directory_group) return directory_->places();
    RaftPlaces wish;
    if (auto places = places_.of(group)) {
      wish.nodes = std::move(places->nodes);
      wish.binding = places->version > 0;
    } else if (const auto found = founders_.find(group); found != founders_.end()) {
      for (const RaftVoter& founder : found->second) wish.nodes.push_back(founder.node);
    }
    return wish;
  }

  // While other nodes take over what this one leads it goes on as ever; shards take seconds at
  // most.
  void hand_over_and_end() {
    const std::shared_ptr<void> ticket{nullptr, [root = root_](void*) {
                                         caf::anon_send_exit(root, caf::exit_reason::user_shutdown);
                                       }};
    const auto hand_over = [&](const HostedService& service) {
      for (const HostedShard& shard : service.shards)
        if (const auto actor = router_.shard(*service.service->type, shard.spec.shard))
          actors::send_hand_over(actor, ticket);
    };
    for (const auto services = hosted_.now(); const HostedService& service : *services)
      hand_over(service);
    hand_over(directory_->hosted());
  }

  // The root supervisor has ended: asked to, or because a failure escalated past every supervisor.
  void root_ended(const caf::error& reason) {
    std::function<void()> stopped;
    {
      const std::lock_guard guard{mutex_};
      ended_ = true;
      stopped = std::exchange(stopped_, nullptr);
    }
    if (stopped) return stopped();
    const Error why = actors::from_caf_error(reason);
    platform_.fail_stop(
        Error{why.code, "NODE_FAILED", "the root supervisor gave up: " + why.describe()});
  }

  runtime::Platform& platform_;
  DataFolder folder_;
  std::unique_ptr<runtime::NodeLog> log_;
  DirectoryTable known_;  // of the directory, when the node started; version 0: nothing
  Router router_;
  const BucketRanges ranges_;  // with which services began; those of the manifest are not named
  const ServicePlaces manifest_places_;
  std::map<runtime::GroupId, Replicas> founders_;  // of groups, when the cluster was made
  Places places_;
  Hosted hosted_;
  NodeLoads loads_;
  std::shared_ptr<NodeShards> shards_;
  std::unique_ptr<NodePolicies> policies_;
  std::shared_ptr<NodeSplits> splits_;
  std::shared_ptr<actors::SupervisionTree> tree_;
  std::unique_ptr<NodeRecovery> recovery_;
  std::unique_ptr<NodeBackup> backup_;
  std::unique_ptr<NodeAdmin> admin_;
  std::unique_ptr<NodeDirectory> directory_;  // null until build()
  NodeLinks links_;
  // When the actors are gone: calls in jobs that never ran are answered, and may try another node.
  const std::shared_ptr<void> hosted_end_{nullptr, [this](void*) {
                                            if (directory_) directory_->close();
                                            if (backup_) backup_->close();
                                            hosted_.close();
                                          }};
  NodeServers servers_;
  NodeConfig config_;
  caf::actor_system system_;
  caf::actor root_;
  std::mutex mutex_;
  std::function<void()> stopped_;
  bool ended_ = false;
};

}  // namespace

Result<std::unique_ptr<Node>> Node::start(runtime::Platform& platform,
                                          const config::Manifest& manifest, const std::string& name,
                                          const actors::ServiceRegistry& registry,
                                          std::vector<std::string> formats) {
  const config::Node* node = manifest.find_node(name);
  if (!node)
    return invalid_argument("NODE_UNKNOWN",
                            "the manifest has no node '" + name + "'; add it under [[nodes]]");
  TROUPE_CHECK(actors::check_routes(registry));
  TROUPE_TRY(folder, DataFolder::open(platform.disk(), node->data, manifest.cluster.name, name));
  TROUPE_TRY(log, runtime::NodeLog::open(platform, folder.log(), log_options(manifest.storage)));
  auto made = std::make_unique<NodeImpl>(platform, manifest, *node, std::move(folder),
                                         std::move(log), registry);
  TROUPE_CHECK(made->build(manifest, *node, registry, formats));
  return std::unique_ptr<Node>{std::move(made)};
}

}  // namespace troupe::cluster
