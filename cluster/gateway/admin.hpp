// The door for operators: GET /healthz, /readyz, /metrics, /v1/status, /v1/tree, /v1/shards, the
// same three of all nodes under /v1/cluster/, /v1/directory, /v1/recovery and /v1/backup; POST to
// the last three, which change something and so are no requests that a web page could make
// without being asked: their body is application/json.
#pragma once

#include <functional>
#include <memory>

#include "cluster/admin.pb.h"
#include "cluster/backup.pb.h"
#include "cluster/directory/table.pb.h"
#include "cluster/gateway/http/http_server.hpp"
#include "cluster/recovery.pb.h"
#include "runtime/result.hpp"

namespace troupe::cluster {

// What a node tells. Any thread may call anything; answers come on any thread, exactly once. One
// that is dropped instead becomes a 500.
class AdminSource {
 public:
  virtual ~AdminSource() = default;

  // Whether clients may be sent here; the error says why not. Must not block.
  virtual Result<void> ready() = 0;

  // Whether /metrics is there.
  virtual bool serves_metrics() const { return true; }

  virtual void status(std::function<void(Result<NodeStatus>)> answer) = 0;
  virtual void tree(std::function<void(Result<TreeNode>)> answer) = 0;
  virtual void shards(std::function<void(Result<ShardList>)> answer) = 0;

  // The cluster's directory as this node knows it.
  virtual void directory(std::function<void(Result<DirectoryView>)> answer) {
    answer(no_directory());
  }
  virtual void order(const DirectoryOrder& order,
                     std::function<void(Result<DirectoryOutcome>)> answer) {
    static_cast<void>(order);
    answer(no_directory());
  }

  // cluster/cluster_view.hpp
  virtual void cluster(NodeQuestion::What what, std::function<void(Result<ClusterAnswer>)> answer) {
    static_cast<void>(what);
    answer(unimplemented("ROUTE_NOT_FOUND", "this node knows of no others"));
  }

  // cluster/node_recovery.hpp
  virtual void recovery(std::function<void(Result<RecoveryView>)> answer) { answer(no_recovery()); }
  virtual void recover(const RecoveryRequest& request,
                       std::function<void(Result<RecoveryReport>)> answer) {
    static_cast<void>(request);
    answer(no_recovery());
  }

  // cluster/node_backup.hpp
  virtual void survey(std::function<void(Result<BackupSurvey>)> answer) { answer(no_backup()); }
  virtual void back_up(const BackupRequest& request,
                       std::function<void(Result<BackupAnswer>)> answer) {
    static_cast<void>(request);
    answer(no_backup());
  }

 private:
  static Error no_directory() {
    return unimplemented("ROUTE_NOT_FOUND", "this node has no directory");
  }
  static Error no_recovery() {
    return unimplemented("ROUTE_NOT_FOUND", "this node has no groups to recover");
  }
  static Error no_backup() {
    return unimplemented("ROUTE_NOT_FOUND", "this node has no shards to back up");
  }
};

class AdminServer {
 public:
  // Errors are those of Network::listen. Platform and source outlive the server.
  static Result<std::unique_ptr<AdminServer>> start(runtime::Platform& platform,
                                                    AdminSource& source,
                                                    const runtime::Address& listen,
                                                    const HttpLimits& limits = {});

  const runtime::Address& local() const { return server_->local(); }
  void stop(Duration deadline, std::function<void()> done) {
    server_->stop(deadline, std::move(done));
  }

 private:
  AdminServer() = default;

  std::unique_ptr<HttpServer> server_;
};

}  // namespace troupe::cluster
