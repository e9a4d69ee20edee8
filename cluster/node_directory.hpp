// A node's part in the directory of its cluster: its copy of the table, and on control nodes the
// replica of the directory's group with its keeper.
//
//   directory
//   +- group             control nodes: the shard of the service troupe.directory.v1.Directory
//   +- keeper            at work where the group leads
//   +- copy
//
// Which nodes are control nodes the table says, and it may change; the manifest says who begins.
//
// Threads: made by the node before its actors start; then any thread. It outlives the node's
// actors. The mesh, whose answers come to it, ends before it, the router after it.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "actors/supervision.hpp"
#include "cluster/data_folder.hpp"
#include "cluster/directory/cache.hpp"
#include "cluster/directory/keeper.hpp"
#include "cluster/directory_group.hpp"
#include "cluster/hosted.hpp"
#include "cluster/mesh/mesh.hpp"
#include "cluster/placement.hpp"
#include "cluster/replication/raft_members.hpp"
#include "cluster/router.hpp"

namespace troupe::cluster {

class NodePolicies;

struct NodeDirectorySpec {
  runtime::Platform* platform = nullptr;
  const config::Manifest* manifest = nullptr;  // while it is made
  const config::Node* node = nullptr;          // while it is made
  const actors::ServiceRegistry* registry = nullptr;
  const DataFolder* folder = nullptr;  // while it is made
  // What the folder has of the directory, while it is made; version 0: nothing.
  const DirectoryTable* known = nullptr;
  runtime::NodeLog* log = nullptr;
  std::uint64_t incarnation = 0;          // of this process
  std::vector<std::string> formats = {};  // that it reads (directory/formats.hpp)
  Router* router = nullptr;
  Mesh* mesh = nullptr;
  std::function<bool(const std::string& node)> linked;
  const NodePolicies* policies = nullptr;
  // The node's copy of the table is newer, by these entries; inside the copy's actor, as what
  // follows.
  std::function<void(const DirectoryTable& newer)> changed = {};
  std::function<void(DirectoryCall&)> report = {};
  std::function<void(const LeadershipOrder&)> transfer = {};
};

class NodeDirectory {
 public:
  // Takes calls of kind `directory` from the mesh, which has not started yet.
  explicit NodeDirectory(NodeDirectorySpec spec);

  // Before actors start; blocks.
  Result<void> begin();

  // As the data folder had it at first. Version 0: this node has never known any.
  std::shared_ptr<const DirectoryTable> table() const { return cache_->table(); }
  DirectoryView view() const { return cache_->view(); }

  // An operator's order or question, carried out by whoever keeps the directory. Errors are those
  // of docs/errors/directory.md and of calls. `answer` comes once, from any thread.
  void order(const DirectoryOrder& order, std::function<void(Result<DirectoryOutcome>)> answer);

  // A shard that this node leads has been split; told again until the table says so.
  void split_is_over(const std::string& service, std::uint32_t parent,
                     const wire::ShardSplit& split);

  // The other nodes of the cluster; as long as the directory is not known: `fallback`.
  std::vector<std::string> others(const std::vector<std::string>& fallback) const;

  // Who votes in the directory's group if it is to be made here.
  Replicas founders() const;
  // Where the replicas of the directory's group are to be.
  RaftPlaces places() const;

  // The replica of the directory's group, which is there only on control nodes.
  const HostedService& hosted() const { return group_->hosted(); }
  // Null where it is not.
  const HostedService* hosted_here() const { return group_->here() ? &group_->hosted() : nullptr; }
  // When the actors are gone: jobs of the group that never ran are dropped.
  void close() { group_->close(); }

  // For the node's tree.
  actors::ChildSpec child(const actors::SupervisionContext& context,
                          const actors::ConsensusFactory& consensus);

 private:
  void reach(const std::string& node, std::string bytes, MonotonicTime deadline,
             std::function<void(Result<std::string>)> answer);
  void reach_here(const std::string& from, std::string bytes, MonotonicTime deadline,
                  std::function<void(Result<std::string>)> answer);
  void keep(const config::Manifest& manifest, const FolderIdentity& identity);
  actors::ChildSpec group_child(const actors::ConsensusFactory& consensus);
  void learn_control(const DirectoryTable& table);
  void tell_mesh(const DirectoryTable& newer);
  void carry_out(actors::Call<directory::v1::Changed> call, const std::string& what,
                 const std::string& why, std::function<void(Result<DirectoryOutcome>)> answer);
  void change_control(const ControlChange& change, const directory::v1::Why& why,
                      std::function<void(Result<DirectoryOutcome>)> answer);
  void audit(const DirectoryOrder::Audit& question,
             std::function<void(Result<DirectoryOutcome>)> answer);
  // Why, and what was ordered.
  static directory::v1::Why said(const directory::v1::Why& why, const std::string& what);
  void set_policies(const DirectoryOrder::Policy& order, const directory::v1::Why& why,
                    std::function<void(Result<DirectoryOutcome>)> answer);
  void remove(const std::string& name, const directory::v1::Why& why,
              std::function<void(Result<DirectoryOutcome>)> answer);

  const NodeDirectorySpec spec_;
  const std::string node_;
  const std::string cluster_;
  const std::string cluster_id_;
  Replicas founders_;
  std::shared_ptr<DirectoryGroup> group_;
  std::unique_ptr<DirectoryKeeper> keeper_;
  std::unique_ptr<DirectoryCache> cache_;
  mutable std::mutex mutex_;          // guards what follows
  std::vector<std::string> control_;  // the nodes that are to keep the directory
  std::uint64_t version_ = 0;         // of the table that says so; 0: the manifest does
};

}  // namespace troupe::cluster
