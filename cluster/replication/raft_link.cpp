#include "cluster/replication/raft_link.hpp"

#include <utility>

namespace troupe::cluster {

std::function<void()> RaftLink::guarded(Job job) {
  return [self = shared_from_this(), job = std::move(job)] {
    if (self->group_ != nullptr) job(*self->group_);
  };
}

// The executor is called with the lock held: close() waits until nobody uses it any more.
void RaftLink::post(Job job) {
  std::lock_guard lock(mutex_);
  if (executor_ != nullptr) executor_->post(guarded(std::move(job)));
}

void RaftLink::post_after(Duration delay, Job job) {
  std::lock_guard lock(mutex_);
  if (executor_ != nullptr) executor_->post_after(delay, guarded(std::move(job)));
}

void RaftLink::append_done(std::uint64_t number, const Result<void>& result,
                           void (*notify)(RaftGroup&)) {
  std::lock_guard lock(mutex_);
  done_.resolved = number;
  if (result) {
    done_.durable = number;
  } else if (!done_.error) {
    done_.error = result.error();
  }
  if (notified_ || executor_ == nullptr) return;
  notified_ = true;
  executor_->post(guarded(notify));
}

RaftLink::Done RaftLink::take() {
  std::lock_guard lock(mutex_);
  notified_ = false;
  Done done = done_;
  done_.error.reset();
  return done;
}

void RaftLink::close() {
  std::lock_guard lock(mutex_);
  group_ = nullptr;
  executor_ = nullptr;
}

}  // namespace troupe::cluster
