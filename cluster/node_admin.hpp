// What a node tells about itself: gathered from figures that its parts publish, so that asking
// costs no actor a message and works while one of them hangs. Asked for the whole cluster, it asks
// the other nodes (cluster/cluster_view.hpp).
//
// Threads: any thread may call anything.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "actors/supervision.hpp"
#include "cluster/cluster_view.hpp"
#include "cluster/gateway/admin.hpp"
#include "cluster/handler_watch.hpp"
#include "cluster/hosted.hpp"
#include "cluster/node_backup.hpp"
#include "cluster/node_load.hpp"
#include "cluster/node_recovery.hpp"
#include "config/manifest.hpp"
#include "runtime/storage/node_log.hpp"

namespace troupe::cluster {

class NodeDirectory;

class NodeAdmin final : public AdminSource {
 public:
  // Everything referred to outlives it.
  NodeAdmin(runtime::Platform& platform, const config::Manifest& manifest, const config::Node& node,
            const runtime::NodeLog& log, const Hosted& hosted, NodeLoads& loads,
            std::shared_ptr<actors::SupervisionTree> tree);
  ~NodeAdmin() override;

  void listens_on(const std::optional<runtime::Address>& gateway,
                  const std::optional<runtime::Address>& grpc, const runtime::Address& admin);
  // Before it is asked anything.
  void recovers_with(NodeRecovery& recovery) { recovery_ = &recovery; }
  void backs_up_with(NodeBackup& backup) { backup_ = &backup; }
  void routes_with(const Router& router) { router_ = &router; }
  // The same; null: the node has none.
  void knows(NodeDirectory* directory) { directory_ = directory; }
  // Before the mesh starts. The mesh is destroyed first.
  void reach(Mesh& mesh);
  void stopping() { stopping_ = true; }

  // Calls back once, as soon as every shard serves. One that comes later, by a move, counts when
  // its replica votes.
  void when_ready(std::function<void()> ready);

  // By shards, when one begins or ceases to serve.
  void shard_changed() { (void)ready(); }

  // Once a second, by the steward: what shards count becomes metrics.
  void publish_metrics();

  Result<void> ready() override;
  bool serves_metrics() const override { return serves_metrics_; }
  void status(std::function<void(Result<NodeStatus>)> answer) override;
  void tree(std::function<void(Result<TreeNode>)> answer) override;
  void shards(std::function<void(Result<ShardList>)> answer) override;
  void directory(std::function<void(Result<DirectoryView>)> answer) override;
  void order(const DirectoryOrder& order,
             std::function<void(Result<DirectoryOutcome>)> answer) override;
  void cluster(NodeQuestion::What what,
               std::function<void(Result<ClusterAnswer>)> answer) override {
    view_.ask(what, std::move(answer));
  }
  void recovery(std::function<void(Result<RecoveryView>)> answer) override {
    recovery_->view(std::move(answer));
  }
  void recover(const RecoveryRequest& request,
               std::function<void(Result<RecoveryReport>)> answer) override {
    recovery_->recover(request, std::move(answer));
  }
  void survey(std::function<void(Result<BackupSurvey>)> answer) override {
    answer(backup_->survey());
  }
  void back_up(const BackupRequest& request,
               std::function<void(Result<BackupAnswer>)> answer) override {
    backup_->take(request, std::move(answer));
  }

 private:
  struct ServiceMetrics;
  void tell_ready();

  runtime::Platform& platform_;
  const std::string cluster_;
  const std::string node_;
  const runtime::NodeLog& log_;
  const Hosted& hosted_;
  NodeLoads& loads_;
  const std::shared_ptr<actors::SupervisionTree> tree_;
  const MonotonicTime started_;
  HandlerWatch handlers_;
  const bool serves_metrics_;
  std::vector<std::unique_ptr<ServiceMetrics>> metrics_;  // in the order of hosted_
  ClusterView view_;
  const Mesh* mesh_ = nullptr;
  NodeRecovery* recovery_ = nullptr;
  NodeBackup* backup_ = nullptr;
  NodeDirectory* directory_ = nullptr;
  const Router* router_ = nullptr;
  std::string gateway_, grpc_;
  std::string admin_;
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;
  std::vector<std::function<void()>> when_ready_;
};

}  // namespace troupe::cluster
