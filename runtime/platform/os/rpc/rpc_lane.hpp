// What belongs to one completion queue of gRPC, and to the thread that takes its events.
//
// To wake a thread, and to send a packet, costs as much as a call. So a lane takes what has
// happened as one batch: first all events that are there, then their messages go to the handlers,
// which wakes a shard once, then the answers that have come go to gRPC, those of one connection
// together.
//
// Answers are given to gRPC on the lane's thread alone. Two threads at one connection would wait
// for each other inside gRPC, and it would pass the work on to a third one.
#pragma once

#include <grpcpp/alarm.h>
#include <grpcpp/server_builder.h>

#include <atomic>
#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <vector>

#include "runtime/time.hpp"

namespace troupe::runtime {

class RpcCallImpl;
struct RpcShared;

class RpcLane {
 public:
  explicit RpcLane(RpcShared& server) : shared(server) {}

  // Takes events until the queue is shut down; its thread does nothing else.
  void run();
  // After that: what the queue still gives.
  void drain();
  // Waits until gRPC will say no more of any call.
  void wait_until_idle();

  // The lane's thread: the call has a message for its handler.
  void has_message(std::shared_ptr<RpcCallImpl> call) { told_.push_back(std::move(call)); }
  // Any thread, while gRPC still has to say something of the call.
  void hand_over(std::shared_ptr<RpcCallImpl> answered);
  // A call that gRPC was asked for; and one of which it says no more.
  void enter();
  void leave();

  RpcShared& shared;
  std::unique_ptr<grpc::ServerCompletionQueue> queue;
  std::atomic<bool> cut{false};  // open calls are not waited for any more
  std::list<RpcCallImpl*> open;  // in the order in which they began; of its thread alone

 private:
  using Calls = std::vector<std::shared_ptr<RpcCallImpl>>;

  void event(void* tag, bool ok);
  // Nothing waits for flush(). From then on hand_over() wakes the thread.
  bool may_sleep();
  void flush();  // the messages and the answers that are there
  void write(Calls& answered);
  void look_at_open();

  Calls told_;  // of the thread

  std::mutex answered_mutex_;
  Calls answered_;
  std::atomic<bool> asleep_{false};  // the thread waits, or is about to
  std::atomic<bool> woken_{false};   // the alarm's event is on its way
  grpc::Alarm alarm_;

  std::mutex mutex_;
  std::size_t outstanding_ = 0;  // calls asked for or open
  std::function<void()> idle_;   // once `outstanding_` is 0, on the thread
};

}  // namespace troupe::runtime
