// How other threads reach a RaftGroup that may be gone.
//
// Completions of the node log arrive on its writer's thread, often many before the group's actor
// runs again: waking an actor is what costs, so they are gathered and the actor is woken once.
// The group closes its link when it ends; everything that arrives later is dropped.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "actors/shard/consensus.hpp"

namespace troupe::cluster {

class RaftGroup;

class RaftLink : public std::enable_shared_from_this<RaftLink> {
 public:
  using Job = std::function<void(RaftGroup&)>;

  RaftLink(RaftGroup& group, actors::Executor& executor) : group_(&group), executor_(&executor) {}

  // Runs a job inside the group's actor. Any thread.
  void post(Job job);
  void post_after(Duration delay, Job job);

  // Runs a job at once if the group is still there. Inside the actor.
  void run(const Job& job) {
    if (group_ != nullptr) job(*group_);
  }

  // The append of this number is durable, or failed. Any thread; numbers rise. `notify` is posted
  // unless one is on its way.
  void append_done(std::uint64_t number, const Result<void>& result, void (*notify)(RaftGroup&));

  struct Done {
    std::uint64_t durable = 0;   // the newest append that succeeded
    std::uint64_t resolved = 0;  // the newest append that succeeded or failed
    std::optional<Error> error;  // of the first that failed since the last call
  };
  // What has happened since. Inside the actor.
  Done take();

  // Inside the actor, by the group's destructor.
  void close();

 private:
  std::function<void()> guarded(Job job);

  RaftGroup* group_;  // touched inside the actor only

  std::mutex mutex_;
  actors::Executor* executor_;
  Done done_;
  bool notified_ = false;
};

}  // namespace troupe::cluster
