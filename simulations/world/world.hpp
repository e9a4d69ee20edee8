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
// What can go wrong is at Hardware (disk and clocks), at World (processes and paths), and, drawn
// ahead and made to happen on its own, in simulations/faults.
//
// The order in which things happen is written down in event_loop.hpp. Two runs of one program with
// one seed make the same trace_hash(), whatever the build.
//
// One world at a time in a process, used from one thread: SQLite's random generator and VFS names
// are the process's. The process must have one thread; this is checked at every start and end of a
// node. start() and whatever ends or changes a process from outside are for whoever drives the
// world, between calls of run_*() or in an event made by after(); a node's own code ends its node
// by Platform::fail_stop().
#pragma once

#include <functional>
#include <iosfwd>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "simulations/world/platform.hpp"
#include "simulations/world/process.hpp"

namespace troupe::simulations {

// One machine of a world. Lives as long as the world.
class Machine {
 public:
  const std::string& name() const { return name_; }
  Hardware hardware;

  // Whether a process runs on it, paused or not, and has not crashed.
  bool up() const { return process_ != nullptr && !platform_->life().over(); }
  bool paused() const { return platform_ != nullptr && platform_->life().paused(); }

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
  std::unique_ptr<JobChooser> chooser_;    // of this life; null: first in, first out
  std::unique_ptr<SimPlatform> platform_;  // outlives the process
  std::unique_ptr<SimulatedProcess> process_;
};

class World {
 public:
  struct Options {
    std::uint64_t seed = 1;
    NetworkTimes network_times = {};
    Schedule schedule = {};
    std::ostream* trace = nullptr;  // a line for every event, see Trace
    TraceSink* sink = nullptr;      // sees every event; changes nothing, the hash neither
  };

  explicit World(Options options);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // --- machines ---------------------------------------------------------------------------------
  // The name is its host name and unique. Nothing runs on it yet.
  Machine& add(const std::string& name, StartProcess start);
  const std::vector<std::unique_ptr<Machine>>& machines() const { return machines_; }
  Machine* find(const std::string& name);  // null: there is none

  // Starts a process on a machine that has none. The error is the process's own, or says that the
  // machine crashed meanwhile.
  Result<void> start(Machine& machine);

  // Power cut: the process is gone at once, and un-synced writes are lost or torn as the seed says.
  // A machine that is down stays down, and keeps what its disk's cache holds.
  void crash(Machine& machine);

  // SIGKILL: the process is gone at once; what it wrote survives, for a later process and for a
  // power cut to take.
  void kill(Machine& machine);

  // The process stands still for a while: its actors, timeouts, jobs and callbacks. What comes for
  // it waits and happens when it goes on. Its clocks do not stop. It may be crashed, killed, or
  // even asked to stop meanwhile. Nothing happens if there is no process.
  void pause(Machine& machine);
  void resume(Machine& machine);

  // Takes the disk's content away. No process may run on the machine.
  void lose_disk(Machine& machine);

  // Called when a process has ended by itself (fail-stop, power cut by DiskFaults) and is gone, in
  // an event of its own; not for what fails to start. A fail-stop counts as a power cut: after a
  // failed sync nobody knows what the system's cache still holds.
  std::function<void(Machine&)> on_down;

  // Asks the process to end and runs the world until it has; true if it did in time. The disk
  // keeps what was written, synced or not, until the next crash.
  bool stop(Machine& machine, Duration limit);

  // The same in two steps, for events: asks, and takes away a process that has ended since. False:
  // it has not, or is paused.
  void ask_to_stop(Machine& machine);
  bool end_stopped(Machine& machine);

  // --- faults of the network and of clocks; hold from now on ------------------------------------
  // Names are machines or "outside".
  void set_path(const std::string& from, const std::string& to, const PathFaults& faults);
  void set_refusing(const std::string& name, bool refusing);
  // Resets the connections between two; how many there were.
  std::size_t reset_connections(const std::string& one, const std::string& other);
  // See MachineClock::set_drift(). The wall clock's offset is Hardware::clock.wall_offset.
  void set_drift(Machine& machine, std::int32_t drift) {
    machine.hardware.clock.set_drift(now(), drift);
  }

  // Writes into the trace that a fault happens at a machine or elsewhere ("outside" or "").
  void note_fault(const std::string& machine, std::string_view text);

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
  static bool has_ended(Machine& machine);
  void end_process(Machine& machine);
  void end_at_once(Machine& machine, std::string_view how);
  std::uint32_t number_of(const std::string& name) const;
  void check_not_in_node(const char* what) const;

  std::uint64_t seed_;
  Schedule schedule_;
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
