// The supervisor's actor; supervision.hpp says what it does. How it does it:
//
// A child is `running`, or `queued` behind a child (itself, or a sibling with which it is
// restarted) whose back-off it waits for, or `ended` for good. Actors whose children are not
// `running` are stopped one at a time, last first. What fails meanwhile joins them, and its restart
// replaces the one that was to follow: only an earlier sibling under rest_for_one can still run
// then, and its restart comprises the other.
//
// Children that are added later come last. One that is ended for good keeps its number, because
// messages name children by it, until another of the same id takes it.
#pragma once

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/event_based_actor.hpp>
#include <functional>
#include <string>
#include <vector>

#include "actors/restart_policy.hpp"
#include "actors/supervision.hpp"

namespace troupe::actors {

struct AddChild {
  std::shared_ptr<ChildSpec> spec;
};
struct EndChild {
  std::string id;
  std::shared_ptr<void> ticket;
};

}  // namespace troupe::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::AddChild)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::EndChild)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::RestartLimits)

namespace troupe::actors {

class Supervisor final : public caf::event_based_actor {
 public:
  Supervisor(caf::actor_config& config, SupervisionContext context, SupervisionTree::Path path,
             SupervisorSpec spec);

  caf::behavior make_behavior() override;
  void on_exit() override;
  const char* name() const override { return "supervisor"; }

 private:
  using Index = std::size_t;

  enum class State : std::uint8_t { queued, running, ended };

  struct Child {
    ChildSpec spec;
    runtime::Counter* restarts = nullptr;
    State state = State::queued;
    caf::actor actor;         // null when there is none; set while it is being stopped, too
    Index behind = 0;         // queued: starts when the back-off of this child is over
    MonotonicTime due{};      // end of the back-off that its last failure began
    bool tried = false;       // it was started before
    unsigned failures = 0;    // in a row
    MonotonicTime started{};  // when it began to run
    bool leaving = false;     // it is ended for good
    bool gone = false;        // ... and has ended
    std::vector<std::shared_ptr<void>> tickets;  // of those who wait for that
  };

  // Starting
  void start_queued_behind(Index head);
  bool start(Index index, std::string& why_not);
  void add(ChildSpec spec);
  void watch_restarts(Index index);

  // Ends and restarts
  void on_down(const caf::down_msg& message);
  void on_end(Index index, const caf::error& reason);
  void on_failure(Index index, const std::string& reason);
  void queue_with_siblings(Index head);
  void escalate(Index index, const std::string& reason);

  // Stopping
  void end(const std::string& id, std::shared_ptr<void> ticket);
  void forget(Index index);
  void stop_actors(std::function<void()> then);  // of all children that do not run
  void stop_next();
  void terminate(caf::error reason);

  // Reports
  SupervisionTree::Path child_path(Index index) const;
  std::string path_text() const;
  std::string path_text(Index index) const;
  void set_state(SupervisionTree::State state);
  void set_state(Index index, SupervisionTree::State state, const std::string& failure = {});
  void report_restart(Index index, const std::string& reason, Duration delay);

  MonotonicTime now() { return context_.platform->clock().now(); }
  runtime::Logger& log() { return context_.platform->log(); }

  SupervisionContext context_;
  SupervisionTree::Path path_;
  Strategy strategy_;
  RestartLimits limits_;
  RestartWindow window_;
  std::vector<Child> children_;

  std::vector<Index> to_stop_;          // the last one is being stopped
  bool asked_ = false;                  // ... and has been asked to end
  std::uint64_t stops_ = 0;             // counts such requests, to name the time each has
  std::function<void()> when_stopped_;  // what follows when to_stop_ is empty

  bool terminating_ = false;
  caf::error end_reason_;
};

}  // namespace troupe::actors
