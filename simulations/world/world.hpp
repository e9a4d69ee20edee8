// A world: machines with disks, the wires between them, and virtual time, all of it a function of
// one seed. Real nodes run in it, in one thread, and can be crashed and started again.
//
//   World world{{.seed = 7}};
//   Machine& machine = world.add("node-1", start_node);
//   world.start(machine);
//   world.outside().network().connect({"node-1", 8080}, ...);
//   world.run_until([&] { return answered; }, 10s);
//   world.crash(machine);  // its process is gone, its disk has forgotten what was not synced
//   world.start(machine);
//
// The order in which things happen is written down in event_loop.hpp. Two runs of one program with
// one seed make the same trace_hash(), whatever the build.
//
// One world at a time in a process, used from one thread: SQLite's random generator and VFS names
// are the process's. The process must have one thread; this is checked at every start and end of a
// node. crash(), start() and stop() are for whoever drives the world, between calls of run_*() or
// in an event made by after(); a node's own code ends its node by Platform::fail_stop().
#pragma once

#include <iosfwd>
#include <memory>
#include <string>
#include <vector>

#include "simulations/world/platform.hpp"
#include "simulations/world/process.hpp"

namespace troupe::simulations {

// One machine of a world. Lives as long as the world.
class Machine {
 public:
  const std::string& name() const { return name_; }
  Hardware hardware;

  // Whether a process runs on it and has not crashed.
  bool up() const { return process_ != nullptr && !platform_->life().over(); }

  // Of the process that runs, or null.
  SimPlatform* platform() { return platform_.get(); }
  SimulatedProcess* process() { return process_.get(); }

  // Why the newest life ended by itself (fail-stop, power cut), if it did.
  const std::optional<Error>& crashed() const { return crashed_; }
  std::uint32_t lives() const { return lives_; }

 private:
  friend class World;
  std::string name_;
  std::uint32_t number_ = 0;
  StartProcess start_;
  std::uint32_t lives_ = 0;
  std::optional<Error> crashed_;
  std::unique_ptr<SimPlatform> platform_;  // outlives the process
  std::unique_ptr<SimulatedProcess> process_;
};

class World {
 public:
  struct Options {
    std::uint64_t seed = 1;
    NetworkTimes network_times = {};
    std::ostream* trace = nullptr;  // a line for every event, see Trace
  };

  explicit World(Options options);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // --- machines ---------------------------------------------------------------------------------
  // The name is its host name and unique. Nothing runs on it yet.
  Machine& add(const std::string& name, StartProcess start);

  // Starts a process on a machine that has none. The error is the process's own, or says that the
  // machine crashed meanwhile.
  Result<void> start(Machine& machine);

  // SIGKILL and power cut in one: the process is gone at once, and un-synced writes are lost or
  // torn as the seed says. A machine that is down stays down.
  void crash(Machine& machine);

  // Asks the process to end and runs the world until it has; true if it did in time. The disk
  // keeps what was written, synced or not, until the next crash.
  bool stop(Machine& machine, Duration limit);

  // A platform that is no node's: the network of clients. Its name is "outside".
  runtime::Platform& outside() { return *outside_; }

  // --- time -------------------------------------------------------------------------------------
  // Since the world began.
  Duration now() const { return loop_.now(); }

  // Runs until `done` holds, which is asked before every step; false: not within the limit.
  bool run_until(const std::function<bool()>& done, Duration limit);
  void run_for(Duration time);

  // Something that the driver of the world wants to happen, with the machines alive.
  void after(Duration delay, std::function<void()> happen) {
    loop_.after(delay, std::move(happen));
  }

  // --- what came of it --------------------------------------------------------------------------
  std::uint64_t seed() const { return seed_; }
  std::uint64_t trace_hash() const { return trace_.hash(); }
  std::uint64_t events() const { return trace_.events(); }
  LogBook& log() { return log_; }

  // The always-on checks of replicas; a violation ends the process and says when and what.
  ReplicaChecks& checks() { return checks_; }

  // A stream of random numbers for the scenario; `sequence` tells several apart.
  RandomStream random(std::uint64_t sequence = 0) const {
    return {seed_, Domain::scenario, 0, sequence};
  }

 private:
  // One thing happens, unless nothing is due up to `limit` (since the world began): false.
  bool step(Duration limit);
  std::shared_ptr<Life> make_life(std::uint32_t node, const std::string& name,
                                  std::uint32_t number);
  void end_process(Machine& machine);
  void check_not_in_node(const char* what) const;

  std::uint64_t seed_;
  EventLoop loop_;
  Trace trace_;
  LogBook log_;
  ReplicaChecks checks_;
  Fabric fabric_;
  Hardware outside_hardware_;
  std::unique_ptr<SimPlatform> outside_;
  std::vector<std::unique_ptr<Machine>> machines_;
  bool in_node_ = false;  // an actor or the start of a process is running
  Duration counted_at_{0};
  std::uint64_t steps_at_now_ = 0;  // since the clock last moved
};

}  // namespace troupe::simulations
