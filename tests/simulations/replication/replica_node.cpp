#include "tests/simulations/replication/replica_node.hpp"

#include <caf/abstract_actor.hpp>
#include <caf/actor_cast.hpp>
#include <caf/send.hpp>

#include "actors/supervision.hpp"

namespace troupe::simulations {

void Wires::carry(const std::string& from, const std::string& to, std::string bytes) {
  ++carried;
  if (watch) watch(from, to, bytes);
  const auto spread = static_cast<std::uint64_t>((delay_max - delay_min).count());
  const Duration delay = delay_min + Duration{dice_.next() % (spread + 1)};
  if (dice_.next() % 1000 < lost_of_1000 || cut_.contains({from, to})) return;
  world_.after(delay, [this, from, to, bytes = std::move(bytes)] {
    Machine* const machine = world_.find(to);
    if (machine != nullptr && machine->up())
      dynamic_cast<ReplicaNode&>(*machine->process()).receive(from, bytes);
  });
}

ReplicaNode::ReplicaNode(runtime::Platform& platform, std::string name, Wires& wires,
                         std::unique_ptr<runtime::NodeLog> log)
    : log_(std::move(log)),
      wire_(wires, std::move(name)),
      exchange_(wire_, platform.log()),
      config_(platform),
      system_(config_) {}

ReplicaNode::~ReplicaNode() {
  shard_ = nullptr;
}

StartProcess ReplicaNode::start(const std::string& name, const Set& set, Wires& wires) {
  return [name, &set,
          &wires](runtime::Platform& platform) -> Result<std::unique_ptr<SimulatedProcess>> {
    TROUPE_CHECK(platform.disk().create_folders("/data/log"));
    TROUPE_CHECK(platform.disk().create_folders("/data/shards"));
    TROUPE_TRY(log, runtime::NodeLog::open(platform, "/data/log",
                                           {.segment_bytes = 1 << 20, .reserve_bytes = 1 << 18}));
    std::unique_ptr<ReplicaNode> node{new ReplicaNode{platform, name, wires, std::move(log)}};
    cluster::RaftOptions raft = set.raft;
    raft.node = name;
    raft.exchange = &node->exchange_;
    raft.may_create = set.may_create;
    raft.voters = [nodes = set.founders.empty() ? set.nodes : set.founders](
                      runtime::GroupId group) { return cluster::first_voters(group, nodes); };
    if (!set.wish.empty())
      raft.places = [&set](auto) { return cluster::RaftPlaces{set.wish, true}; };
    raft.others = [nodes = set.nodes] { return nodes; };
    actors::ShardSpec spec;
    spec.service = &node->service_;
    spec.group = replicated_group;
    spec.folder = "/data/shards";
    spec.options = set.shard;
    actors::ShardSurroundings surroundings;
    surroundings.platform = &platform;
    surroundings.log = node->log_.get();
    surroundings.consensus = cluster::make_raft_factory(platform, *node->log_, raft);
    surroundings.queue = platform.workers().queue("shard", runtime::Workers::Kind::pooled);
    surroundings.vitals = node->vitals_;
    node->shard_ = actors::spawn_shard(node->system_, spec, surroundings);
    caf::actor_cast<caf::abstract_actor*>(node->shard_)
        ->attach_functor([ended = node->ended_](const caf::error& reason) {
          *ended = "its shard ended: " + actors::from_caf_error(reason).describe();
        });
    return std::unique_ptr<SimulatedProcess>{std::move(node)};
  };
}

void ReplicaNode::stop() {
  caf::anon_send_exit(shard_, caf::exit_reason::user_shutdown);
}

}  // namespace troupe::simulations
