// Calls that last as long as the client likes, such as Watch of grpc.health.v1: they would hold up
// a server that stops, so it ends them.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <set>

#include "runtime/platform/rpc.hpp"

namespace troupe::cluster {

// Any thread.
class LongCalls {
 public:
  // Ends it at once if end_all() was called.
  void add(const std::shared_ptr<runtime::RpcCall>& call);
  void remove(const std::shared_ptr<runtime::RpcCall>& call);
  void end_all();

 private:
  std::mutex mutex_;
  std::set<std::shared_ptr<runtime::RpcCall>> calls_;
  bool ended_ = false;
};

}  // namespace troupe::cluster
