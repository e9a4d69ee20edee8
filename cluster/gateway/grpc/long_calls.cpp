#include "cluster/gateway/grpc/long_calls.hpp"

#include "cluster/gateway/grpc/grpc_status.hpp"

namespace troupe::cluster {
namespace {

void end_long_call(runtime::RpcCall& call) {
  call.finish(rpc_status(unavailable("NODE_STOPPING", "the node is stopping; call another one")),
              {});
}

}  // namespace

void LongCalls::add(const std::shared_ptr<runtime::RpcCall>& call) {
  {
    const std::lock_guard guard{mutex_};
    if (!ended_) {
      calls_.insert(call);
      return;
    }
  }
  end_long_call(*call);
}

void LongCalls::remove(const std::shared_ptr<runtime::RpcCall>& call) {
  const std::lock_guard guard{mutex_};
  calls_.erase(call);
}

void LongCalls::end_all() {
  std::set<std::shared_ptr<runtime::RpcCall>> calls;
  {
    const std::lock_guard guard{mutex_};
    ended_ = true;
    calls.swap(calls_);
  }
  for (const auto& call : calls) end_long_call(*call);
}

}  // namespace troupe::cluster
