#include "cluster/node_directory.hpp"

#include <algorithm>
#include <caf/event_based_actor.hpp>
#include <utility>

#include "actors/encoding.hpp"
#include "actors/shard/shard_actor.hpp"
#include "cluster/directory/formats.hpp"
#include "cluster/directory/service.hpp"
#include "cluster/founding.hpp"
#include "cluster/node_servers.hpp"
#include "runtime/rehearsal/planted.hpp"

namespace troupe::cluster {
namespace {

// The table is small and its changes are to be seen at once.
actors::ShardOptions directory_options(const config::Storage& storage) {
  actors::ShardOptions options;
  options.apply_delay_max = std::chrono::milliseconds{10};
  options.checkpoint_entries = storage.checkpoint_entries;
  options.checkpoint_wal_bytes = std::min<std::uint64_t>(storage.checkpoint_wal_bytes, 4u << 20);
  options.page_cache_bytes = 1u << 20;
  return options;
}

// Who keeps the directory as the manifest has it. A node that joins has none of its own.
std::vector<std::string> control_of(const config::Manifest& manifest, const std::string& node,
                                    const FolderIdentity& identity) {
  if (identity.membership != Membership::joiner) return control_nodes(manifest);
  config::Manifest others = manifest;
  std::erase_if(others.nodes, [&](const config::Node& one) { return one.name == node; });
  return control_nodes(others);
}

// Whom a node asks that knows nothing yet: any other can say who keeps the directory.
std::vector<std::string> seeds_of(const config::Manifest& manifest, const std::string& node,
                                  std::vector<std::string> control) {
  for (const config::Node& one : manifest.nodes)
    if (one.name != node && std::ranges::find(control, one.name) == control.end())
      control.push_back(one.name);
  return control;
}

actors::ChildSpec executor_child(std::string id,
                                 std::function<void(std::shared_ptr<actors::Executor>)> run_on) {
  actors::ChildSpec child;
  child.id = std::move(id);
  child.shutdown = std::chrono::seconds{1};
  child.start = [run_on = std::move(run_on)](caf::event_based_actor* parent) {
    caf::actor actor = actors::spawn_executor(parent->system());
    run_on(actors::executor_of(actor));
    return actor;
  };
  return child;
}

}  // namespace

NodeDirectory::NodeDirectory(NodeDirectorySpec spec)
    : spec_(std::move(spec)),
      node_(spec_.node->name),
      cluster_(spec_.manifest->cluster.name),
      cluster_id_(spec_.folder->identity().cluster_id) {
  const config::Manifest& manifest = *spec_.manifest;
  const FolderIdentity& identity = spec_.folder->identity();
  const DirectoryTable& known = *spec_.known;
  version_ = known.version();
  control_ = version_ > 0 ? control_nodes(known) : control_of(manifest, node_, identity);
  // A node that has known the directory, or lost what it knew, makes no group of it: it is
  // elsewhere.
  founders_ = version_ == 0 && identity.membership == Membership::founder
                  ? first_voters(directory_group, control_)
                  : Replicas{RaftVoter{1, {}}};
  spec_.router->add_service(*directory_service().type, {control_});

  CacheSpec cache;
  cache.platform = spec_.platform;
  cache.self = describe_node(manifest, *spec_.node, *spec_.registry);
  cache.self.set_incarnation(spec_.incarnation);
  for (const std::string& format : spec_.formats) cache.self.add_formats(format);
  cache.seeds = seeds_of(manifest, node_, control_of(manifest, node_, identity));
  cache.file = spec_.folder->directory();
  cache.known = known;
  cache.reach = [this](const std::string& node, std::string bytes, MonotonicTime deadline,
                       std::function<void(Result<std::string>)> answer) {
    reach(node, std::move(bytes), deadline, std::move(answer));
  };
  cache.changed = [this](const DirectoryTable& newer) {
    if (const auto readable = can_read(newer, spec_.formats, node_); !readable)
      return spec_.platform->fail_stop(readable.error());
    tell_mesh(newer);
    if (newer.formats_size() > 0) spec_.mesh->check_formats();
    learn_control(*table());
    if (spec_.changed) spec_.changed(newer);
  };
  cache.report = spec_.report;
  cache.transfer = spec_.transfer;
  cache_ = std::make_unique<DirectoryCache>(std::move(cache));
  tell_mesh(*table());
  // Else a node could be sent what it cannot read before it hears of the directory.
  spec_.mesh->formats(
      {spec_.formats,
       [this](const std::string& node, const std::vector<std::string>& formats) {
         const auto readable = can_read(*table(), formats, node);
         // Planted: it finds out for itself.
         return !readable && TROUPE_PLANTED(old_version_linked) ? Result<void>{} : readable;
       },
       [platform = spec_.platform](const Error& why) { platform->fail_stop(why); }});
  spec_.mesh->on_call(FrameKind::directory, [this](const IncomingCall& call) {
    if (!call.begin()) return;
    reach_here(call.from(), std::move(call.bytes()), call.deadline(),
               [call](Result<std::string> answer) { call.answer(std::move(answer)); });
  });
  keep(manifest, identity);
}

Result<void> NodeDirectory::begin() {
  const std::lock_guard guard{mutex_};
  return group_->begin(std::ranges::find(control_, node_) != control_.end());
}

void NodeDirectory::keep(const config::Manifest& manifest, const FolderIdentity& identity) {
  actors::ShardSpec shard;
  shard.service = &directory_service();
  shard.group = directory_group;
  shard.folder = spec_.folder->shards();
  shard.options = directory_options(manifest.storage);
  group_ = std::make_shared<DirectoryGroup>(
      DirectoryGroupSpec{spec_.platform, spec_.log, spec_.router, std::move(shard)});

  KeeperSpec keeper;
  keeper.platform = spec_.platform;
  keeper.node = node_;
  keeper.local = [router = spec_.router](actors::CallBase call, actors::CallOptions options,
                                         actors::ReplyTo reply_to) {
    // Planted: what a keeper orders is carried out, whoever keeps the directory by then.
    if (TROUPE_PLANTED(two_balancers))
      return router->send(std::move(call), std::move(options), std::move(reply_to));
    router->send_here(std::move(call), std::move(options), std::move(reply_to));
  };
  keeper.vitals = group_->vitals();
  keeper.linked = spec_.linked;
  const auto& restored = spec_.folder->restored();
  keeper.founding = founding_table(manifest, *spec_.registry, identity.cluster_id,
                                   restored ? restored->ranges : BucketRanges{});
  // The others say themselves what they read, soon: they may run another version.
  for (DirectoryNode& node : *keeper.founding.mutable_nodes())
    if (node.name() == node_)
      node.mutable_formats()->Assign(spec_.formats.begin(), spec_.formats.end());
  keeper.may_found = identity.membership == Membership::founder;
  keeper.told = [this](const DirectoryTable& table) { learn_control(table); };
  keeper.began = [this] { group_->places_changed(); };  // what is wished binds from now on
  if (restored)
    keeper.founding_why = "the cluster was restored from a backup of " + restored->from + " (" +
                          restored->from_id + "), by " + restored->by;
  keeper.options.down_after = manifest.balancer.down_after;
  keeper.options.balance.balancing = manifest.balancer.enabled;
  keeper.options.balance.repair_delay = manifest.balancer.repair_after;
  keeper.options.advice_hold = manifest.balancer.advice_hold;
  keeper_ = std::make_unique<DirectoryKeeper>(std::move(keeper));
}

void NodeDirectory::reach(const std::string& node, std::string bytes, MonotonicTime deadline,
                          std::function<void(Result<std::string>)> answer) {
  if (node != node_)
    return spec_.mesh->call(node, FrameKind::directory, std::move(bytes), deadline,
                            std::move(answer));
  reach_here(node_, std::move(bytes), deadline, std::move(answer));
}

// Any node may be asked; who does not keep the directory says who does.
void NodeDirectory::reach_here(const std::string& from, std::string bytes, MonotonicTime deadline,
                               std::function<void(Result<std::string>)> answer) {
  if (group_->here()) return keeper_->take(from, std::move(bytes), deadline, std::move(answer));
  DirectoryAnswer elsewhere;
  elsewhere.set_leader(cache_->keeper());
  answer(actors::encode(elsewhere));
}

Replicas NodeDirectory::founders() const {
  return founders_;
}

// A leader waits until its group has confirmed to its keeper what is wished: the node's copy of the
// table may be behind.
RaftPlaces NodeDirectory::places() const {
  const bool leads = group_->vitals()->get().consensus.role == "leader";
  const std::lock_guard guard{mutex_};
  return {control_, version_ > 0 && (!leads || keeper_->keeps())};
}

// From the copy and from the keeper, so that news of the one do not overtake those of the other.
void NodeDirectory::learn_control(const DirectoryTable& table) {
  std::vector<std::string> nodes = control_nodes(table);
  const std::lock_guard guard{mutex_};
  if (table.version() <= version_ || nodes.empty()) return;
  const bool same = version_ > 0 && nodes == control_;
  version_ = table.version();
  if (same) return;
  control_ = nodes;
  group_->want(std::ranges::find(nodes, node_) != nodes.end());
  spec_.router->place(directory_service().type->name, 0, std::move(nodes));
  group_->places_changed();
}

std::vector<std::string> NodeDirectory::others(const std::vector<std::string>& fallback) const {
  const auto known = table();
  if (known->version() == 0) return fallback;
  std::vector<std::string> names;
  for (const DirectoryNode& node : known->nodes())
    if (node.name() != node_ && node.state() != DirectoryNode::REMOVED)
      names.push_back(node.name());
  return names;
}

// A node that is removed is no peer any more; where others are, the table knows.
void NodeDirectory::tell_mesh(const DirectoryTable& newer) {
  for (const DirectoryNode& node : newer.nodes()) {
    if (node.name() == node_) continue;
    if (node.state() == DirectoryNode::REMOVED) {
      spec_.mesh->remove_peer(node.name());
    } else if (const auto address = config::parse_address(node.mesh())) {
      spec_.mesh->set_peer(node.name(), address_of(*address));
    }
  }
}

actors::ChildSpec NodeDirectory::group_child(const actors::ConsensusFactory& consensus) {
  const HostedShard& shard = hosted().shards.front();
  actors::ShardSurroundings surroundings{spec_.platform,
                                         spec_.log,
                                         consensus,
                                         shard.queue,
                                         shard.vitals,
                                         [this] {
                                           keeper_->look();
                                           group_->look();
                                         },
                                         [this] { keeper_->look(); }};
  actors::ChildSpec group;
  group.id = "group";
  group.shutdown = std::chrono::seconds{10};
  group.start = [spec = shard.spec, surroundings, type = hosted().service->type,
                 router = spec_.router](caf::event_based_actor* parent) {
    caf::actor actor = actors::spawn_shard(parent->system(), spec, surroundings);
    router->announce(*type, spec.shard, actor,
                     [vitals = surroundings.vitals] { return vitals->leader(); });
    return actor;
  };
  return group;
}

actors::ChildSpec NodeDirectory::child(const actors::SupervisionContext& context,
                                       const actors::ConsensusFactory& consensus) {
  group_->make_child([this, consensus] { return group_child(consensus); });
  actors::ChildSpec child;
  child.id = "directory";
  child.shutdown = Duration::max();
  child.start = [this, context, consensus](caf::event_based_actor* parent) {
    return group_->start([&](bool here) {
      actors::SupervisorSpec supervisor;
      if (here) supervisor.children.push_back(group_child(consensus));
      supervisor.children.push_back(
          executor_child("keeper", [this](std::shared_ptr<actors::Executor> executor) {
            keeper_->run_on(std::move(executor));
          }));
      supervisor.children.push_back(
          executor_child("copy", [this](std::shared_ptr<actors::Executor> executor) {
            cache_->run_on(std::move(executor));
          }));
      return actors::spawn_supervisor(parent->system(), context, {"directory"}, supervisor);
    });
  };
  return child;
}

}  // namespace troupe::cluster
