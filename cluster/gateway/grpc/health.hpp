// grpc.health.v1.Health (https://github.com/grpc/grpc/blob/master/doc/health-checking.md). The
// server as a whole and each of its services serve when the node is ready, as /readyz of the admin
// address says it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "cluster/gateway/grpc/long_calls.hpp"
#include "runtime/platform/rpc.hpp"

namespace troupe::cluster {

class Health : public std::enable_shared_from_this<Health> {
 public:
  // `ready` must not block, and outlives it and its calls.
  Health(std::set<std::string> services, std::function<bool()> ready);

  // Handlers of the two methods' calls.
  std::shared_ptr<runtime::RpcHandler> check(std::shared_ptr<runtime::RpcCall> call);
  std::shared_ptr<runtime::RpcHandler> watch(std::shared_ptr<runtime::RpcCall> call);

  // Looks whether the node is ready and tells who watches, if that has changed. Any thread.
  void look();
  // Nothing is served any more: who watches is told so, and the calls end.
  void stop();

 private:
  class Check;
  class Watch;
  struct Watching {
    bool known = false;  // the service that is watched
    int told = -1;       // the status
  };

  int status(bool known) const;
  void tell();  // under the mutex
  void begin(const std::shared_ptr<runtime::RpcCall>& call, const std::string& service);
  void end(const std::shared_ptr<runtime::RpcCall>& call);

  const std::set<std::string> services_;  // and "", the server
  const std::function<bool()> ready_;
  LongCalls long_calls_;
  std::mutex mutex_;
  std::map<std::shared_ptr<runtime::RpcCall>, Watching> watching_;
  bool serving_ = false;
  bool stopped_ = false;
};

}  // namespace troupe::cluster
