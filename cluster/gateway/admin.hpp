// The door for operators: GET /healthz, /readyz, /metrics, /v1/status, /v1/tree and /v1/shards.
#pragma once

#include <functional>
#include <memory>

#include "cluster/admin.pb.h"
#include "cluster/gateway/http/http_server.hpp"
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
