// One call of a server, from gRPC's request to its last event. Generic service of gRPC's
// asynchronous API: https://grpc.io/docs/languages/cpp/async/.
#pragma once

#include <grpcpp/generic/async_generic_service.h>

#include <atomic>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "runtime/platform/os/rpc/rpc_connections.hpp"
#include "runtime/platform/os/rpc/rpc_lane.hpp"
#include "runtime/platform/rpc.hpp"

namespace troupe::runtime {

// What its calls need of a server; outlives them.
struct RpcShared {
  grpc::AsyncGenericService service;
  RpcServers::Accept accept;
  std::function<void(const std::function<void()>&)> together;
  RpcLimits limits;
  RpcConnections connections;
  std::atomic<std::size_t> open{0};   // calls that have begun and are not over
  std::atomic<bool> stopping{false};  // further ones are refused
};

class RpcCallImpl final : public RpcCall, public std::enable_shared_from_this<RpcCallImpl> {
 public:
  // Asks gRPC for the lane's next call.
  static void request(RpcLane& lane);
  // What the lane's thread does with a tag of a call.
  static void event(void* tag, bool ok);

  explicit RpcCallImpl(RpcLane& lane);

  void receive() override;
  void send(std::string message) override;
  void finish(RpcStatus status, RpcMetadata trailers) override;
  void answer(std::string message, RpcMetadata headers) override;

  // On the lane's thread. True if it began before that and no message has come.
  bool waits_since(MonotonicTime time) const { return !heard_ && since_ < time; }
  // The same. Tells its handler if its last message came before that.
  void tell_if_overdue(MonotonicTime time) {
    if (handler_ && heard_ && since_ < time) handler_->on_overdue();
  }
  void cancel();
  void tell_message();  // what it has for its handler, if it has not done so
  void write_answer();  // what answer() was given
  std::string peer() const { return wire_->context.peer(); }  // before write_answer()

 private:
  struct Wire {
    grpc::GenericServerContext context;
    grpc::GenericServerAsyncReaderWriter stream{&context};
  };
  struct Tag {
    RpcCallImpl* call = nullptr;
    void (RpcCallImpl::*happened)(bool ok) = nullptr;
  };
  struct End {
    RpcStatus status;
    RpcMetadata trailers;
  };

  void on_arrived(bool ok);
  void on_read(bool ok);
  void on_written(bool ok);
  void on_finished(bool ok);
  void on_over(bool ok);

  RpcRequest describe() const;
  bool ended() const { return !wire_ || over_ || end_; }  // under the mutex
  void go_on();                                           // under the mutex
  void release_if_over();
  void leave_lane();

  RpcLane& lane_;
  Tag arrived_{this, &RpcCallImpl::on_arrived};
  Tag read_{this, &RpcCallImpl::on_read};
  Tag written_{this, &RpcCallImpl::on_written};
  Tag finished_{this, &RpcCallImpl::on_finished};
  Tag over_tag_{this, &RpcCallImpl::on_over};

  // Of the lane's thread.
  std::shared_ptr<RpcCallImpl> self_;  // while gRPC may name it
  std::shared_ptr<RpcHandler> handler_;
  std::list<RpcCallImpl*>::iterator place_;
  MonotonicTime since_;  // it began, or its last message came
  bool open_ = false;
  bool heard_ = false;
  grpc::ByteBuffer received_;
  std::optional<std::string> message_;  // that the handler has not got yet

  std::mutex mutex_;  // guards the rest
  std::unique_ptr<Wire> wire_;
  std::deque<std::string> unsent_;
  std::string answer_;
  std::optional<End> end_;
  int pending_ = 0;  // operations of which gRPC has not told the end
  bool wants_ = false, reading_ = false, writing_ = false;
  bool finishing_ = false;  // gRPC has been told the end
  bool over_ = false;       // gRPC has told it
};

}  // namespace troupe::runtime
