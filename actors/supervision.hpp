// Supervisors as in Erlang/OTP (stdlib's supervisor): a tree of actors in which every actor that
// fails is restarted, or its failure escalates, as its specification says.
//
// A supervisor is an actor. It starts its children in order, stops them in reverse order, and
// monitors them. A child that ends is restarted or not by its `restart` kind; which others go with
// it is the supervisor's `strategy`. More than `intensity` restarts within `period`: the supervisor
// stops its children and fails itself with reason SUPERVISOR_INTENSITY, and its own supervisor
// decides. Restarts wait by exponential back-off with jitter from the platform's random source.
//
// A child fails when it ends with an error; an end with exit_reason::normal or user_shutdown is no
// failure. A child that cannot be started counts as one that failed; those after it wait for it.
// Asked to end (exit_msg), a supervisor stops its children first. However it ends, even killed, its
// children end too.
//
// Every start, end, restart and escalation is written to the SupervisionTree, which any thread may
// read (`troupe tree`), and every restart makes one structured report in the log and counts in
// troupe_restarts_total.
#pragma once

#include <caf/actor.hpp>
#include <caf/error.hpp>
#include <caf/fwd.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/platform/platform.hpp"
#include "runtime/time.hpp"

namespace troupe::actors {

enum class Restart : std::uint8_t {
  permanent,  // always restarted
  transient,  // restarted only after a failure
  temporary,  // never restarted
};

enum class Strategy : std::uint8_t {
  one_for_one,   // the child that ended
  one_for_all,   // all children
  rest_for_one,  // the child that ended and those started after it
};

// Delay before the n-th restart in a row: min(first * 2^(n-1), max), less up to `jitter` of itself.
// It counts from the failure, so that stopping siblings is part of it. A child that stayed up for
// `period` starts again from the first.
struct Backoff {
  Duration first = std::chrono::milliseconds{10};
  Duration max = std::chrono::seconds{5};
  double jitter = 0.2;  // 0 to 1
};

struct ChildSpec {
  std::string id;  // unique among its siblings; its name in `troupe tree`
  // Spawns the child; runs inside the supervisor. Throwing counts as a failed start. What fails
  // later, in the child's own first step, is an end like any other.
  std::function<caf::actor(caf::event_based_actor* supervisor)> start;
  Restart restart = Restart::permanent;
  // How long it may take to end when asked (exit_reason::user_shutdown) before it is killed.
  // Zero: it is killed at once. Duration::max(): never; right for supervisors, whose own children
  // have their limits.
  Duration shutdown = std::chrono::seconds{5};
};

// When a supervisor restarts, and when it gives up.
struct RestartLimits {
  unsigned intensity = 3;  // restarts tolerated within `period`
  Duration period = std::chrono::seconds{5};
  Backoff backoff = {};
};

struct SupervisorSpec : RestartLimits {
  Strategy strategy = Strategy::one_for_one;
  std::vector<ChildSpec> children;
};

// What `troupe tree` shows; written by supervisors, read by anyone. Thread-safe.
class SupervisionTree {
 public:
  virtual ~SupervisionTree() = default;

  enum class State : std::uint8_t { starting, running, restarting, stopping, stopped, failed };
  struct Node {
    std::string id;
    State state = State::starting;
    unsigned restarts = 0;     // since the node started
    std::string last_failure;  // empty: none
    bool supervisor = false;
    std::vector<Node> children;  // in start order
  };
  virtual Node snapshot() const = 0;

  // For supervisors: changes the node at a path, made if it is not there.
  using Path = std::vector<std::string>;
  virtual void update(const Path& path, const std::function<void(Node&)>& change) = 0;

  static std::shared_ptr<SupervisionTree> make(std::string root_id);
};

// What a supervisor needs of its surroundings; shared by all supervisors of a node.
struct SupervisionContext {
  runtime::Platform* platform = nullptr;
  std::shared_ptr<SupervisionTree> tree;
};

// Any thread. Starts one more child, the last, of a supervisor that runs; nothing happens if it has
// one of that id.
void add_child(const caf::actor& supervisor, ChildSpec child);

// Any thread. Ends a child for good, and forgets it. Lets go of the ticket when its actor has
// ended, or there is none, or the supervisor itself has ended.
void end_child(const caf::actor& supervisor, std::string id, std::shared_ptr<void> ticket);

// Any thread. From its next failure on a supervisor goes by these; restarts that wait are not
// moved.
void set_limits(const caf::actor& supervisor, const RestartLimits& limits);

// Spawns a supervisor. `path` is its place in the tree ({} for the root). As a child of another
// supervisor: call this in ChildSpec::start with the parent's path plus the child's id. Throws
// std::invalid_argument if two children have one id or a child has no start function.
caf::actor spawn_supervisor(caf::actor_system& system, SupervisionContext context,
                            std::vector<std::string> path, SupervisorSpec spec);

// Failures of actors carry our Error as a caf::error and back. An error that CAF made becomes
// INTERNAL with reason ACTOR_FAILED and CAF's own text.
caf::error to_caf_error(const Error& error);
Error from_caf_error(const caf::error& error);

// Makes the actor end with a caf::error that holds what() (reason UNHANDLED_EXCEPTION) when a
// handler throws; without it CAF prints the text and keeps only "runtime error". Call it first in
// an actor.
void end_on_exception(caf::scheduled_actor* self);

}  // namespace troupe::actors
