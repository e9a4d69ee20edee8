// Threads for what blocks: fsync, checkpoints, SQLite, file copies. Nothing that may wait for a
// disk runs on an actor's thread; it runs here and reports completion as a message to the actor.
#pragma once

#include <functional>
#include <memory>
#include <string>

namespace troupe::runtime {

// Jobs run one at a time and in the order in which they were posted. Any thread may post. A queue
// that is destroyed finishes the jobs that were posted before.
class WorkQueue {
 public:
  virtual ~WorkQueue() = default;
  virtual void post(std::function<void()> job) = 0;
};

class Workers {
 public:
  virtual ~Workers() = default;

  enum class Kind {
    dedicated,  // a thread of its own: the node log, where a wait for another's job costs latency
    pooled,     // shares a few threads of lower priority with the other pooled queues
  };
  // `name` is for thread names, traces and errors.
  virtual std::unique_ptr<WorkQueue> queue(const std::string& name, Kind kind) = 0;
};

}  // namespace troupe::runtime
