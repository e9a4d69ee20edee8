// A supervisor on CAF's `testing` scheduler, with children that do what a test tells them. Each
// start and end of a child is noted, so that a test reads as what happened in which order.
#pragma once

#include <caf/all.hpp>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "actors/supervision.hpp"
#include "fake_platform.hpp"

namespace troupe::actors::supervision_test {

using namespace std::chrono_literals;
using Notes = std::vector<std::string>;
using TreeState = SupervisionTree::State;
inline constexpr auto p = Restart::permanent;

class Stage {
 public:
  Stage();
  // Asks the root to end and lets it; an actor that outlives it fails the test.
  ~Stage();

  // --- what a specification is made of ---
  ChildSpec child(const std::string& id, Restart restart = Restart::permanent);
  ChildSpec supervisor(const std::string& id, std::vector<std::string> path, SupervisorSpec spec);
  // One child after the other, of these kinds, called a, b, c, ...
  SupervisorSpec children(Strategy strategy, std::vector<Restart> kinds);

  void start(SupervisorSpec spec);  // the root

  // --- what a test does to children ---
  void fail(const std::string& id, const std::string& what = "boom");  // by an exception
  void finish(const std::string& id);                                  // with reason normal
  void end(const std::string& id, caf::error reason);
  void limit_root(const RestartLimits& limits);
  void ask_root_to_end(caf::error reason = caf::exit_reason::user_shutdown);

  std::set<std::string> failing_starts;  // ids whose start function throws
  std::set<std::string> deaf;            // ids that ignore user_shutdown

  // --- time ---
  void run();                 // all that can happen now
  void advance(Duration by);  // steps from one due time to the next
  MonotonicTime now() { return coordinator().clock().now(); }

  // --- what happened ---
  Notes take_notes();  // "+a": started, "-a": ended; those since the last call
  bool alive(const std::string& id) const { return actors_.count(id) > 0; }
  bool root_ended() const { return root_reason_.has_value(); }
  Error root_error() const { return from_caf_error(root_reason_.value()); }
  const caf::error& root_reason() const { return root_reason_.value(); }
  SupervisionTree::Node node(const std::vector<std::string>& path) const;
  std::vector<FakePlatform::Line> log(const std::string& event) const;
  double restarts(const std::string& path) { return platform.counters[path].value(); }

  caf::scheduler::test_coordinator& coordinator() {
    return dynamic_cast<caf::scheduler::test_coordinator&>(system_.scheduler());
  }
  caf::actor_system& system() { return system_; }

  FakePlatform platform;
  std::shared_ptr<SupervisionTree> tree = SupervisionTree::make("n1");

 private:
  struct Config : caf::actor_system_config {
    Config() { set("scheduler.policy", caf::atom("testing")); }
  };

  Config config_;
  caf::actor_system system_{config_};
  caf::actor root_;
  std::optional<caf::error> root_reason_;
  std::map<std::string, caf::actor> actors_;
  Notes notes_;
};

}  // namespace troupe::actors::supervision_test
