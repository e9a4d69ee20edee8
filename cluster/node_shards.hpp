// Makes shards begin and end on a node as their places say (cluster/directory/places.hpp), while it
// runs.
//
// A shard is hosted here while its places name this node, and beyond that for as long as its
// replica has a past: entries or a snapshot in the node log. It may still be a voter then; when the
// group has removed it, it learns so and forgets (replication/raft_members.hpp), and the shard ends
// here: its actor, its files. What stays is the log's record of the group without entries, so that
// this node never takes itself for one of those who may make the group.
//
// Threads: any thread may call anything, but what says otherwise.
#pragma once

#include <caf/actor.hpp>
#include <caf/actor_addr.hpp>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "actors/supervision.hpp"
#include "cluster/directory/places.hpp"
#include "cluster/hosted.hpp"
#include "cluster/router.hpp"
#include "runtime/storage/node_log.hpp"

namespace troupe::cluster {

// Everything pointed to outlives the actors, and close().
struct NodeShardsSpec {
  runtime::Platform* platform = nullptr;
  runtime::NodeLog* log = nullptr;
  std::string node;
  Places* places = nullptr;
  Hosted* hosted = nullptr;
  Router* router = nullptr;
};

// What a service's supervisor goes by.
actors::RestartLimits restart_limits(const config::RestartPolicy& policy);

class NodeShards : public std::enable_shared_from_this<NodeShards> {
 public:
  using MakeChild =
      std::function<actors::ChildSpec(const HostedService& service, const HostedShard& shard)>;
  using SpawnService = std::function<caf::actor(const HostedService& service)>;

  explicit NodeShards(NodeShardsSpec spec) : spec_(std::move(spec)) {}

  // Before actors start; blocks. Finds what is hosted here first, removes files of shards that left
  // before the last end of the process, and listens to the places.
  Result<void> begin();
  // Before actors start: how a shard becomes a child of its service's supervisor.
  void make_children(MakeChild make) { make_child_ = std::move(make); }
  // At each (re)start of a service: spawns its supervisor with the shards of the moment.
  caf::actor start_service(const std::string& service, const SpawnService& spawn);

  // Whether the shard is to begin or to end here. Called when its places or its state have changed.
  void look(runtime::GroupId group);

  // A shard that is split off is to be founded here (cluster/node_splits.hpp): nothing is begun
  // before finish_founding(), which looks. False: it is here, or was. Asked again until
  // store_founding() says that nothing may be made any more; until then it can be cancelled.
  bool begin_founding(runtime::GroupId group);
  bool store_founding(runtime::GroupId group);
  void finish_founding(runtime::GroupId group);
  void cancel_founding(runtime::GroupId group);
  bool here(runtime::GroupId group);

  // From now on the service's shards here, and their supervisor, go by these settings.
  void configure(const std::string& service, const config::Service& settings);

  // Runs a job inside the actor of each of this node's shards that match.
  void tell(const std::string& service, std::uint32_t shard,
            std::function<void(actors::Shard&)> job);

  // Lets the shard be led on that node, if it has a voter there that lives. The ticket is let go of
  // when that is done or cannot be; at once if the replica here does not lead.
  void hand_over(const std::string& service, std::uint32_t shard, const std::string& node,
                 std::shared_ptr<void> ticket);

  // The node ends: nothing is begun any more.
  void close();

 private:
  struct Known {
    bool here = false;
    bool ending = false;
    bool founding = false;
    bool storing = false;  // while founding
  };
  void places_changed(runtime::GroupId group);
  void begin_shard(const ShardPlaces& places);
  void end_shard(runtime::GroupId group, const ShardPlaces& places);
  void ended(runtime::GroupId group);
  caf::actor actor_of(const std::string& service, std::uint32_t shard) const;

  const NodeShardsSpec spec_;
  MakeChild make_child_;
  std::mutex mutex_;  // guards what follows
  bool closed_ = false;
  std::map<runtime::GroupId, Known> known_;
  std::map<std::string, caf::actor_addr> supervisors_;  // by service; weak
};

}  // namespace troupe::cluster
