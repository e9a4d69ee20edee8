#include "simulations/world/scheduler.hpp"

#include <algorithm>
#include <caf/actor_cast.hpp>
#include <caf/actor_registry.hpp>
#include <caf/actor_system.hpp>
#include <caf/exit_reason.hpp>
#include <caf/scheduled_actor.hpp>

#include "simulations/world/check.hpp"

namespace troupe::simulations {

namespace {

bool ended(const caf::abstract_actor& actor) {
  return actor.getf(caf::abstract_actor::is_terminated_flag);
}

bool ended(const caf::weak_actor_ptr& actor) {
  const auto strong = actor.lock();
  return !strong || ended(*strong->get());
}

bool is_ended_actor(caf::resumable* job) {
  const auto* const actor = dynamic_cast<caf::scheduled_actor*>(job);
  return actor != nullptr && ended(*actor);
}

}  // namespace

SimScheduler::SimScheduler(caf::actor_system& system, std::shared_ptr<Life> life,
                           const SimClock& clock, SimScheduler*& slot)
    : test_coordinator(system),
      life_(std::move(life)),
      clock_(clock),
      actor_clock_(clock),
      slot_(slot) {
  check(slot_ == nullptr, "node " + life_->node_name() + " made a second actor system");
  slot_ = this;
}

SimScheduler::~SimScheduler() {
  slot_ = nullptr;
}

void SimScheduler::start() {
  test_coordinator::start();
  // With one thread, nobody would ever end the actors that the destructor waits for: stop() does.
  system().await_actors_before_shutdown(false);
}

void SimScheduler::stop() {
  kill_actors();
  test_coordinator::stop();
}

const SimScheduler::Seen* SimScheduler::note(caf::resumable* job) {
  auto* actor = dynamic_cast<caf::scheduled_actor*>(job);
  if (actor == nullptr) return nullptr;
  if (const auto found = seen_.find(actor->id()); found != seen_.end()) return &found->second;
  if (seen_.size() >= tidy_at_) {
    std::erase_if(seen_, [](const auto& entry) { return ended(entry.second.actor); });
    tidy_at_ = std::max<std::size_t>(1024, 2 * seen_.size());
  }
  auto name = std::string{actor->name()} + '#' + std::to_string(actor->id());
  Seen seen{caf::weak_actor_ptr{actor->ctrl()}, std::move(name)};
  return &seen_.emplace(actor->id(), std::move(seen)).first->second;
}

void SimScheduler::bring_forward(JobChooser& chooser) {
  waiting_.clear();
  for (auto* job : jobs) {
    const auto* const actor = dynamic_cast<caf::scheduled_actor*>(job);
    waiting_.push_back(actor != nullptr ? actor->id() : 0);
  }
  const auto chosen = jobs.begin() + static_cast<std::ptrdiff_t>(chooser.choose(waiting_));
  std::rotate(jobs.begin(), chosen, chosen + 1);
}

void SimScheduler::run_one() {
  auto* const job = jobs.front();
  const auto* const seen = note(job);
  // Keeps the actor's address from being used again while it is compared below.
  const auto actor = seen != nullptr ? seen->actor.lock() : nullptr;
  ++steps_;
  life_->record("job", seen != nullptr ? seen->name : std::string_view{"(not an actor)"});
  try_run_once();
  // An actor that is not done was put back at the head.
  if (actor && jobs.size() > 1 && jobs.front() == job) {
    jobs.pop_front();
    jobs.push_back(job);
  }
}

std::optional<Duration> SimScheduler::next_timeout() const {
  const auto& schedule = actor_clock_.schedule();
  if (schedule.empty()) return std::nullopt;
  return clock_.to_world(schedule.begin()->first);
}

void SimScheduler::fire_timeout() {
  life_->record("timeout", "");
  actor_clock_.trigger_timeout();
}

bool SimScheduler::end_all() {
  std::vector<caf::strong_actor_ptr> alive;
  for (auto* job : jobs) note(job);
  for (const auto& [id, seen] : seen_) {
    if (!ended(seen.actor)) alive.push_back(seen.actor.lock());
  }
  for (const auto& actor : alive) {
    auto& scheduled = dynamic_cast<caf::scheduled_actor&>(*actor->get());
    // Makes its behaviour if it has none yet: before that, CAF does not let an actor quit.
    scheduled.activate(system().dummy_execution_unit());
    if (ended(scheduled)) continue;  // it failed to begin
    scheduled.quit(caf::exit_reason::kill);
    scheduled.finalize();
  }
  return !alive.empty();
}

void SimScheduler::kill_actors() {
  constexpr int rounds_max = 1000;  // an actor's beginning may spawn another, and so on
  for (int round = 0;; ++round) {
    check(round < rounds_max, "node " + life_->node_name() + " spawns actors while it is killed");
    actor_clock_.cancel_all();
    if (!end_all() && jobs.empty()) break;
    while (!jobs.empty() && is_ended_actor(jobs.front())) {
      try_run_once();  // does nothing but let go of the actor
    }
  }
  seen_.clear();
}

}  // namespace troupe::simulations
