// The supervisor's actor; supervision.hpp says what it does. How it does it:
//
// A child is `running`, or `queued` behind a child (itself, or a sibling with which it is
// restarted) whose back-off it waits for, or `ended` for good. Actors that are to go are stopped
// one at a time, last first; while that takes its time, ends of other children wait in a queue, as
// OTP's supervisor leaves them in its mailbox.
#pragma once

#include <caf/event_based_actor.hpp>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "actors/restart_policy.hpp"
#include "actors/supervision.hpp"

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
  using Token = std::uint64_t;

  enum class State : std::uint8_t { queued, running, ended };

  struct Child {
    ChildSpec spec;
    runtime::Counter* restarts = nullptr;
    State state = State::queued;
    caf::actor actor;         // null when there is none; set while it is being stopped, too
    Index behind = 0;         // queued: starts when the back-off of this child is over
    MonotonicTime due{};      // end of its own back-off
    Token token = 0;          // names its own back-off; 0: none runs
    bool tried = false;       // it was started before
    unsigned failures = 0;    // in a row
    MonotonicTime started{};  // when it began to run
  };

  struct End {
    Index index = 0;
    caf::error reason;
  };

  // Starting
  void start_queued_behind(Index head);
  bool start(Index index, std::string& why_not);

  // Ends and restarts
  void on_down(const caf::down_msg& message);
  void on_end(Index index, const caf::error& reason);
  void on_failure(Index index, const std::string& reason);
  void queue_with_siblings(Index head);
  void wait_then_restart(Index head, Duration delay);
  void escalate(Index index, const std::string& reason);

  // Stopping
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
  Token next_token() { return ++last_token_; }

  SupervisionContext context_;
  SupervisionTree::Path path_;
  Strategy strategy_;
  unsigned intensity_;
  Duration period_;
  Backoff backoff_;
  RestartWindow window_;
  std::vector<Child> children_;
  Token last_token_ = 0;

  std::vector<Index> to_stop_;          // the last one is being stopped
  bool asked_ = false;                  // ... and has been asked to end
  Token stop_token_ = 0;                // names the time it has for that
  std::function<void()> when_stopped_;  // what follows when to_stop_ is empty
  std::deque<End> ends_;                // that happened while others were stopped

  bool terminating_ = false;
  caf::error end_reason_;
};

}  // namespace troupe::actors
