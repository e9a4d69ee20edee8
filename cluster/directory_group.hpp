// This node's replica of the directory's group (Raft group 0). It begins and ends here while the
// node runs, as the table says who keeps the directory: in the same way as shards do
// (cluster/node_shards.hpp), and for the same reasons it stays for as long as it has a past.
//
// Threads: any thread may call anything, but what says otherwise.
#pragma once

#include <caf/actor.hpp>
#include <caf/actor_addr.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "actors/supervision.hpp"
#include "cluster/hosted.hpp"
#include "cluster/router.hpp"
#include "runtime/storage/node_log.hpp"

namespace troupe::cluster {

// Everything pointed to outlives the actors, and close().
struct DirectoryGroupSpec {
  runtime::Platform* platform = nullptr;
  runtime::NodeLog* log = nullptr;
  Router* router = nullptr;
  actors::ShardSpec shard;
};

class DirectoryGroup : public std::enable_shared_from_this<DirectoryGroup> {
 public:
  explicit DirectoryGroup(DirectoryGroupSpec spec);

  // Before actors start; blocks. Removes files of one that left before the last end of the process.
  Result<void> begin(bool wanted);

  // The one shard is there whether it is here or not; until close().
  const HostedService& hosted() const { return hosted_; }
  const std::shared_ptr<actors::ShardVitals>& vitals() const { return vitals_; }
  bool here() const;

  // Before actors start: how it becomes a child of the directory's supervisor.
  void make_child(std::function<actors::ChildSpec()> make) { make_child_ = std::move(make); }
  // At each (re)start of that supervisor, which `spawn` starts, with or without the group.
  caf::actor start(const std::function<caf::actor(bool here)>& spawn);

  // Whether this node is to keep the directory.
  void want(bool wanted);
  // Where its replicas are to be has changed.
  void places_changed();
  // Its state has changed: it may have forgotten its past.
  void look();

  // When the actors are gone: jobs that never ran are dropped.
  void close();

 private:
  void ended();
  // With mutex_.
  void begin_or_end();

  const DirectoryGroupSpec spec_;
  const std::shared_ptr<actors::ShardVitals> vitals_;
  HostedService hosted_;
  std::function<actors::ChildSpec()> make_child_;
  mutable std::mutex mutex_;  // guards what follows
  bool wanted_ = false;
  bool here_ = false;
  bool ending_ = false;
  bool closed_ = false;
  caf::actor_addr supervisor_;  // weak
};

}  // namespace troupe::cluster
