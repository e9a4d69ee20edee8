// CAF's scheduler and clock for one node of a world: the `testing` scheduler of CAF 0.17.6, whose
// queue of jobs is public, with the node's virtual clock under it.
//
// Platform::configure() hands it to the actor system as a module, which CAF takes in place of the
// scheduler it would make itself. So it is there before the first actor, its clock is right from
// the start, and it sees every actor: an actor runs by way of the queue of jobs alone.
//
// That is also how the simulator knows which actors there are. CAF keeps no list of them, and its
// profiler hooks are not compiled into Debian's package. Every actor that has ever run was seen at
// the head of the queue; one that has never run is still in the queue; one that was spawned lazily
// and never got a message holds nothing that needs an end. References are weak: actors live as long
// as they would without the simulator.
#pragma once

#include <caf/actor_control_block.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "simulations/world/clock.hpp"
#include "simulations/world/life.hpp"
#include "simulations/world/schedule.hpp"

namespace troupe::simulations {

// Says the node's time; keeps the timeouts that actors set.
class SimActorClock final : public caf::detail::test_actor_clock {
 public:
  explicit SimActorClock(const SimClock& clock) : clock_(clock) {}
  time_point now() const noexcept override { return clock_.now(); }

 private:
  const SimClock& clock_;
};

class SimScheduler final : public caf::scheduler::test_coordinator {
 public:
  // `slot` points to this object for as long as it lives.
  SimScheduler(caf::actor_system& system, std::shared_ptr<Life> life, const SimClock& clock,
               SimScheduler*& slot);
  ~SimScheduler() override;

  caf::detail::test_actor_clock& clock() noexcept override { return actor_clock_; }

  // Puts the job of the actor that is to go on at the head of the queue. There must be a job.
  void bring_forward(JobChooser& chooser);

  // Lets the actor at the head of the queue handle one message; if it has more of them, it queues
  // up behind the others. There must be a job.
  void run_one();

  // How often run_one() was called.
  std::uint64_t steps() const { return steps_; }

  // When the next timeout of an actor is due, as the world counts.
  std::optional<Duration> next_timeout() const;
  // Lets it happen: its actor gets a message.
  void fire_timeout();

  // Actors that count as running: all but hidden and ended ones.
  std::size_t running() { return system().registry().running(); }

  // Ends every actor, whatever it is doing, so that the actor system can be destroyed. Timeouts are
  // cancelled; every actor quits with `kill` and is cleaned up as CAF does it; the jobs that are
  // left only release their actors. No message is handled any more. An actor that has not begun
  // makes its behaviour first, for CAF lets no other quit; what it spawns is ended, too.
  //
  // Sending a kill to every actor would not do: one that awaits a response looks at nothing else,
  // and the others would handle what came before. The life should be over by now.
  void kill_actors();

 protected:
  void start() override;
  void stop() override;  // by the actor system's destructor

 private:
  struct Seen {
    caf::weak_actor_ptr actor;
    std::string name;  // "ledger#7", for the trace
  };

  // Notes the actor of a job; null if the job is not an actor.
  const Seen* note(caf::resumable* job);
  bool end_all();  // false: there was none

  std::shared_ptr<Life> life_;
  const SimClock& clock_;
  SimActorClock actor_clock_;
  SimScheduler*& slot_;
  std::map<caf::actor_id, Seen> seen_;
  std::vector<std::uint64_t> waiting_;  // of bring_forward(), kept for its memory
  std::uint64_t steps_ = 0;
  std::size_t tidy_at_ = 1024;  // ended actors are forgotten when this many were seen
};

}  // namespace troupe::simulations
