// Makes the faults of a plan happen in a world, and starts again what goes down.
//
//   Injector injector{world, plan, &handler_faults};
//   world.run_for(30s);
//   injector.heal_all();  // from here on nothing goes wrong any more
//   world.run_until([&] { return injector.everything_up() && ...; }, 60s);
//
// All of it happens in events of the world's loop, and all of it is in the trace as "fault" events.
// Faults of one kind that overlap add up to the worst of them, and what heals leaves the others. A
// fault that finds nothing to harm (a kill of a machine that is down, rot of a file that is not
// there) does not take place and is not counted. So no machine is taken down twice at once.
//
// A machine that went down by a fault, or ended in order because one asked it to, is started when
// the fault's time is over; one that ended by
// itself (a failed sync, rot, a power cut while it started) or that does not start is tried again
// after `retry`, as a service manager would. The machines' first start is the scenario's.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "simulations/faults/fault.hpp"
#include "simulations/faults/handler_faults.hpp"
#include "simulations/world/world.hpp"

namespace troupe::simulations {

// FAULT_PLAN_INVALID: the plan names a machine that the world does not have, or a service that is
// not among `services` (when those are given).
Result<void> check_fault_plan(const FaultPlan& plan, const World& world,
                              const std::vector<std::string>* services = nullptr);

class Injector {
 public:
  struct Options {
    Duration retry = std::chrono::milliseconds{500};
    // Whether to start machines again; if not, whoever drives the world does.
    bool restarts = true;
    // Called when a machine ended by itself or did not start, in an event of the loop.
    std::function<void(Machine&, const Error&)> on_failure = {};
  };

  // The machines of the plan are in the world. `handlers` may be null if the plan needs none; it
  // and the world outlive the injector. One injector at a time in a world.
  Injector(World& world, FaultPlan plan, HandlerFaults* handlers, Options options);
  Injector(World& world, FaultPlan plan, HandlerFaults* handlers = nullptr)
      : Injector(world, std::move(plan), handlers, Options{}) {}
  // Nothing of the plan happens any more; what is broken stays so.
  ~Injector();
  Injector(const Injector&) = delete;
  Injector& operator=(const Injector&) = delete;

  // All faults stop: the rest of the plan is dropped, what is wrong heals, clocks run true (where
  // they are), and machines that are down are started, now and again until it works.
  void heal_all();
  bool everything_up() const;

  // Whether a fault keeps the machine down for the time being.
  bool holds_down(const Machine& machine) const;

  const FaultPlan& plan() const { return plan_; }
  // Those that took place so far, at the times at which they did; and their number by kind.
  const FaultPlan& took_place() const { return took_place_; }
  const std::map<std::string, std::uint64_t>& injected() const { return injected_; }

  // The machine has an empty disk: nothing of it is rotten any more.
  void lose_disk(Machine& machine);

  // Whether it is gone, until it is brought back. heal_all() does not.
  bool is_gone(const Machine& machine) const;
  // Starts a machine that is gone, now and again until it works. `empty`: with an empty disk, which
  // counts as a lost one.
  void bring_back(Machine& machine, bool empty);
  // A machine that has not been started yet is gone until it is brought back.
  void hold_back(Machine& machine) { nodes_[machine.name()].gone = true; }
  // Ends it in order, or lets it end as it does, and it is gone. No fault.
  void retire(Machine& machine);
  // Whether a machine was asked to end in order, and has not yet.
  bool anything_stops() const;

  // Files in which a bit was flipped, and that are there.
  struct Rotten {
    std::string node, path;
  };
  const std::vector<Rotten>& rotten() const { return rotten_; }

  // Why the machine last ended by itself or did not start.
  std::optional<Error> last_failure(const Machine& machine) const;

 private:
  struct Active {
    Fault fault;
    std::uint64_t quota = UINT64_MAX;  // full_disk
  };
  // What the injector knows of a machine, by name.
  struct Node {
    std::uint64_t wish = 0;  // counts plans to start it; only the newest counts
    Duration down_until{0};
    std::optional<std::uint64_t> cut_next_start;
    std::optional<Fault> cut_pending;  // a power cut in the midst of a write that is yet to come
    std::optional<Error> failure;
    bool gone = false;
    bool retires = false;        // will be gone once it is down
    std::uint32_t stopping = 0;  // the life that was asked to end in order
  };

  void after(Duration delay, std::function<void()> what);
  void begin(const Fault& fault);
  void take_place(const Fault& fault, const std::string& where = {});
  void take_down(Machine& machine, const Fault& fault);
  void take_down_now(Machine& machine, const Fault& fault);
  void disappear(Machine& machine, const Fault& fault);
  void stand_still(Machine& machine, const Fault& fault);
  void stop(Machine& machine, Duration down_for);
  void await_stop(Machine& machine, std::uint32_t life, Duration down_for);
  void hold(const Fault& fault);  // until it heals
  void went_down(Machine& machine);
  void plan_start(Machine& machine, Duration delay);
  void start(Machine& machine);
  void failed(Machine& machine, const Error& why);

  // Makes the world as broken as the active faults say.
  void apply(const Fault& changed);
  void apply_disk(Machine& machine);
  void apply_paths(const std::string& one, const std::string& other);
  PathFaults path_faults(const std::string& from, const std::string& to) const;
  void apply_service(FaultKind kind, const std::string& service);

  World& world_;
  FaultPlan plan_;
  HandlerFaults* handlers_;
  Options options_;
  std::shared_ptr<char> alive_ = std::make_shared<char>();  // events ask whether it is gone
  bool healed_ = false;
  std::uint64_t holds_ = 0;
  std::map<std::uint64_t, Active> active_;
  std::map<std::string, Node> nodes_;
  FaultPlan took_place_;
  std::map<std::string, std::uint64_t> injected_;
  std::vector<Rotten> rotten_;
};

}  // namespace troupe::simulations
