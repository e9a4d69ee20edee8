#include "actors/supervisor.hpp"

#include <algorithm>
#include <caf/atom.hpp>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>
#include <caf/system_messages.hpp>
#include <exception>

#include "runtime/rehearsal/marks.hpp"
#include "runtime/rehearsal/planted.hpp"

namespace troupe::actors {
namespace {

using TreeState = SupervisionTree::State;
using RestartAtom = caf::atom_constant<caf::atom("restart")>;
using KillAtom = caf::atom_constant<caf::atom("kill")>;

// OTP: normal, shutdown and {shutdown, Term} are orderly ends.
bool is_failure(const caf::error& reason) {
  return reason && reason != caf::exit_reason::user_shutdown;
}

std::string describe_end(const caf::error& reason) {
  return is_failure(reason) ? from_caf_error(reason).describe() : "it ended without a failure";
}

}  // namespace

Supervisor::Supervisor(caf::actor_config& config, SupervisionContext context,
                       SupervisionTree::Path path, SupervisorSpec spec)
    : caf::event_based_actor(config),
      context_(std::move(context)),
      path_(std::move(path)),
      strategy_(spec.strategy),
      limits_(spec),
      window_(spec.intensity, spec.period) {
  for (auto& child_spec : spec.children) {
    Child child;
    child.spec = std::move(child_spec);
    children_.push_back(std::move(child));
  }
  for (Index i = 0; i < children_.size(); ++i) watch_restarts(i);
  context_.tree->update(path_, [this](SupervisionTree::Node& node) {
    node.supervisor = true;
    node.state = TreeState::starting;
    // Children that were there before a restart of this supervisor keep their counts.
    std::vector<SupervisionTree::Node> nodes;
    for (const auto& child : children_) {
      const auto known = std::find_if(node.children.begin(), node.children.end(),
                                      [&](const auto& one) { return one.id == child.spec.id; });
      SupervisionTree::Node fresh;
      fresh.id = child.spec.id;
      nodes.push_back(known == node.children.end() ? std::move(fresh) : std::move(*known));
      nodes.back().state = TreeState::starting;
    }
    node.children = std::move(nodes);
  });
}

caf::behavior Supervisor::make_behavior() {
  end_on_exception(this);
  set_down_handler([this](caf::down_msg& message) { on_down(message); });
  set_exit_handler([this](caf::exit_msg& message) {
    if (message.reason) terminate(std::move(message.reason));
  });
  start_queued_behind(0);
  return {
      // One that came too late finds none queued behind its child any more.
      [this](RestartAtom, std::uint64_t index) { start_queued_behind(index); },
      [this](KillAtom, std::uint64_t stop) {
        if (to_stop_.empty() || stops_ != stop) return;
        const Index index = to_stop_.back();
        TROUPE_SOMETIMES("a child that did not end in time was killed");
        log().warn("supervisor.kill", "a child did not end in time and is killed",
                   {{"supervisor", path_text()}, {"child", children_[index].spec.id}});
        send_exit(children_[index].actor, caf::exit_reason::kill);
      },
      [this](const AddChild& message) { add(*message.spec); },
      [this](const EndChild& message) { end(message.id, message.ticket); },
      [this](const RestartLimits& limits) {
        limits_ = limits;
        window_.set(limits.intensity, limits.period);
      },
  };
}

// Whatever ended this actor: a kill, an exception, or the last handle to it being dropped.
void Supervisor::on_exit() {
  for (Index i = 0; i < children_.size(); ++i) {
    if (!children_[i].actor) continue;
    // Anonymously: without a handle to it, this actor has no execution unit any more.
    caf::anon_send_exit(children_[i].actor, caf::exit_reason::kill);
    set_state(i, TreeState::stopped);
  }
  children_.clear();  // start functions may hold handles that lead back here
  set_state(is_failure(fail_state()) ? TreeState::failed : TreeState::stopped);
}

// --- starting ---

void Supervisor::start_queued_behind(Index head) {
  if (terminating_) return;
  for (Index i = 0; i < children_.size(); ++i) {
    if (children_[i].state != State::queued || children_[i].behind != head) continue;
    std::string why_not;
    if (start(i, why_not)) continue;
    if (children_[i].spec.restart == Restart::temporary) {
      children_[i].state = State::ended;
      set_state(i, TreeState::failed, why_not);
      log().warn(
          "supervisor.start_failed", "a temporary child could not be started",
          {{"supervisor", path_text()}, {"child", children_[i].spec.id}, {"reason", why_not}});
      continue;
    }
    for (auto& later : children_)
      if (later.state == State::queued && later.behind == head) later.behind = i;
    on_failure(i, why_not);
    return;
  }
  const auto untried = [](const Child& child) {
    return child.state == State::queued && !child.tried;
  };
  if (std::none_of(children_.begin(), children_.end(), untried)) set_state(TreeState::running);
}

bool Supervisor::start(Index index, std::string& why_not) {
  auto& child = children_[index];
  if (child.tried) {
    TROUPE_SOMETIMES("a child was started again");
    child.restarts->add();
    context_.tree->update(child_path(index), [](auto& node) { ++node.restarts; });
  }
  child.tried = true;
  child.started = now();
  try {
    child.actor = child.spec.start(this);
    if (!child.actor) why_not = "its start function returned no actor";
  } catch (const std::exception& exception) {
    why_not = std::string{"its start failed: "} + exception.what();
  } catch (...) {
    why_not = "its start failed with something that is no std::exception";
  }
  if (!child.actor) return false;
  child.state = State::running;
  // Before the monitor: the down message of a child that is already dead comes through the mailbox.
  context_.tree->update(child_path(index), [](auto& node) {
    if (!node.supervisor) node.state = TreeState::running;  // a supervisor says so itself
  });
  monitor(child.actor);
  return true;
}

void Supervisor::watch_restarts(Index index) {
  children_[index].restarts = &context_.platform->metrics().counter(
      "troupe_restarts_total", "Starts of a supervised actor after its first.",
      {{"child", path_text(index)}});
}

void Supervisor::add(ChildSpec spec) {
  if (terminating_) return;
  const auto known = std::ranges::find(
      children_, spec.id, [](const Child& one) -> auto& { return one.spec.id; });
  if (known != children_.end() && !known->gone) return;
  const auto index = static_cast<Index>(known - children_.begin());
  if (known == children_.end()) children_.emplace_back();
  children_[index] = {};
  children_[index].spec = std::move(spec);
  children_[index].behind = index;
  watch_restarts(index);
  set_state(index, TreeState::starting);
  start_queued_behind(index);
}

// --- ends and restarts ---

void Supervisor::on_down(const caf::down_msg& message) {
  const auto found = std::find_if(children_.begin(), children_.end(), [&](const Child& child) {
    return child.actor && child.actor.address() == message.source;
  });
  if (found == children_.end()) return;
  const auto index = static_cast<Index>(found - children_.begin());
  found->actor = nullptr;
  if (found->state != State::running) {  // it was to be stopped
    set_state(index, found->state == State::queued ? TreeState::restarting : TreeState::stopped);
    if (found->leaving) forget(index);
    stop_next();
  } else {
    on_end(index, message.reason);
  }
}

void Supervisor::on_end(Index index, const caf::error& reason) {
  auto& child = children_[index];
  const auto restart = child.spec.restart;
  if (restart == Restart::permanent || (restart == Restart::transient && is_failure(reason)))
    return on_failure(index, describe_end(reason));
  child.state = State::ended;
  if (!is_failure(reason)) return set_state(index, TreeState::stopped);
  set_state(index, TreeState::failed, describe_end(reason));
  log().warn(
      "supervisor.failed", "a temporary child failed and is not restarted",
      {{"supervisor", path_text()}, {"child", child.spec.id}, {"reason", describe_end(reason)}});
}

void Supervisor::on_failure(Index index, const std::string& reason) {
  auto& child = children_[index];
  const auto time = now();
  set_state(index, TreeState::restarting, reason);
  // Planted: a child that failed three times in a row is forgotten.
  if (child.failures == 2 && TROUPE_PLANTED(supervisor_forgets_child)) {
    child.state = State::ended;
    return;
  }
  // Planted: a supervisor restarts for ever and never gives up.
  if (!window_.add(time) && !TROUPE_PLANTED(supervisor_never_gives_up))
    return escalate(index, reason);
  if (time - child.started >= limits_.period) child.failures = 0;
  child.due = time + backoff_delay(limits_.backoff, ++child.failures, context_.platform->random());
  queue_with_siblings(index);
  // A sibling that was waiting already does not start sooner than its own back-off lets it.
  for (const auto& sibling : children_)
    if (sibling.state == State::queued && sibling.behind == index)
      child.due = std::max(child.due, sibling.due);
  report_restart(index, reason, child.due - time);
  stop_actors([this, index] {
    const Duration left = std::max<Duration>(children_[index].due - now(), Duration::zero());
    delayed_send(this, left, RestartAtom::value, std::uint64_t{index});
  });
}

// As OTP: a temporary sibling that is stopped with the others is not started again; a transient one
// that had ended is.
void Supervisor::queue_with_siblings(Index head) {
  for (Index i = 0; i < children_.size(); ++i) {
    auto& child = children_[i];
    const bool goes_along = i == head || strategy_ == Strategy::one_for_all ||
                            (strategy_ == Strategy::rest_for_one && i > head);
    if (!goes_along || child.gone || child.leaving) continue;
    if (child.spec.restart == Restart::temporary && child.tried) {
      child.state = State::ended;
      continue;
    }
    child.state = State::queued;
    child.behind = head;
    if (!child.actor && child.tried) set_state(i, TreeState::restarting);
  }
}

void Supervisor::escalate(Index index, const std::string& reason) {
  TROUPE_SOMETIMES("a supervisor gave up");
  const auto& id = children_[index].spec.id;
  const auto period_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(limits_.period).count();
  const auto error =
      internal("SUPERVISOR_INTENSITY", "supervisor " + path_text() + " gave up after " +
                                           std::to_string(window_.count()) + " failures within " +
                                           std::to_string(period_ms) +
                                           " ms; the last was of child " + id + ": " + reason);
  log().error("supervisor.escalation", error.message,
              {{"supervisor", path_text()},
               {"child", id},
               {"reason", reason},
               {"restarts_in_window", window_.count()},
               {"intensity", limits_.intensity}});
  set_state(index, TreeState::failed);
  context_.tree->update(path_, [&](auto& node) { node.last_failure = error.describe(); });
  terminate(to_caf_error(error));
}

// --- stopping ---

void Supervisor::end(const std::string& id, std::shared_ptr<void> ticket) {
  const auto found = std::ranges::find(
      children_, id, [](const Child& one) -> auto& { return one.spec.id; });
  if (found == children_.end() || found->gone) return;
  const auto index = static_cast<Index>(found - children_.begin());
  found->tickets.push_back(std::move(ticket));
  if (terminating_) return;  // it is let go of with the children
  found->leaving = true;
  found->state = State::ended;
  if (!found->actor) return forget(index);
  stop_actors(std::exchange(when_stopped_, nullptr));
}

void Supervisor::forget(Index index) {
  TROUPE_SOMETIMES("a child was ended for good");
  auto& child = children_[index];
  child.gone = true;
  child.leaving = false;
  child.spec.start = nullptr;
  context_.tree->update(path_, [&](SupervisionTree::Node& node) {
    std::erase_if(node.children, [&](const auto& one) { return one.id == child.spec.id; });
  });
  child.tickets.clear();
}

void Supervisor::stop_actors(std::function<void()> then) {
  // A stop that is under way goes on as part of this one.
  const Index asked = asked_ ? to_stop_.back() : children_.size();
  to_stop_.clear();
  for (Index i = 0; i < children_.size(); ++i)
    if (children_[i].state != State::running && children_[i].actor) to_stop_.push_back(i);
  asked_ = !to_stop_.empty() && to_stop_.back() == asked;
  when_stopped_ = std::move(then);
  stop_next();
}

void Supervisor::stop_next() {
  while (!to_stop_.empty()) {
    auto& child = children_[to_stop_.back()];
    if (child.actor) {
      if (asked_) return;
      asked_ = true;
      ++stops_;
      set_state(to_stop_.back(), TreeState::stopping);
      const bool at_once = child.spec.shutdown <= Duration::zero();
      send_exit(child.actor, at_once ? caf::exit_reason::kill : caf::exit_reason::user_shutdown);
      if (!at_once && child.spec.shutdown != Duration::max())
        delayed_send(this, child.spec.shutdown, KillAtom::value, stops_);
      return;
    }
    to_stop_.pop_back();
    asked_ = false;
  }
  if (auto then = std::exchange(when_stopped_, nullptr)) then();
}

void Supervisor::terminate(caf::error reason) {
  if (terminating_) return;
  terminating_ = true;
  end_reason_ = std::move(reason);
  set_state(TreeState::stopping);
  for (auto& child : children_) child.state = State::ended;
  stop_actors([this] { quit(end_reason_); });
}

// --- reports ---

SupervisionTree::Path Supervisor::child_path(Index index) const {
  auto path = path_;
  path.push_back(children_[index].spec.id);
  return path;
}

std::string Supervisor::path_text() const {
  std::string text;
  for (const auto& id : path_) text += "/" + id;
  return text.empty() ? "/" : text;
}

std::string Supervisor::path_text(Index index) const {
  return (path_.empty() ? "" : path_text()) + "/" + children_[index].spec.id;
}

void Supervisor::set_state(TreeState state) {
  context_.tree->update(path_, [&](auto& node) { node.state = state; });
}

void Supervisor::set_state(Index index, TreeState state, const std::string& failure) {
  context_.tree->update(child_path(index), [&](auto& node) {
    node.state = state;
    if (!failure.empty()) node.last_failure = failure;
  });
}

void Supervisor::report_restart(Index index, const std::string& reason, Duration delay) {
  log().warn("supervisor.restart", "a child ended and is restarted",
             {{"supervisor", path_text()},
              {"child", children_[index].spec.id},
              {"reason", reason},
              {"restarts_in_window", window_.count()},
              {"delay_ms", std::chrono::duration<double, std::milli>(delay).count()}});
}

}  // namespace troupe::actors
