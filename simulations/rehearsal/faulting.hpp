// Between a run and its faults: which are drawn, when they happen, and what they excuse.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "simulations/faults/fault.hpp"
#include "simulations/world/world.hpp"

namespace troupe::simulations {

struct FaultMix {
  std::vector<FaultKind> kinds;
};

struct Faults {
  static FaultMix none() { return {}; }
  static FaultMix everything();
};

FaultPlan draw_faults(std::uint64_t seed, const FaultMix& mix, Duration duration,
                      const std::vector<std::string>& nodes);

class Injection {
 public:
  Injection(World& world, std::vector<Machine*> machines, FaultPlan plan);
  void heal_all();
  // A fault keeps the machine down; otherwise its service manager starts it again.
  bool holds_down(const Machine& machine) const;
  const std::map<std::string, std::uint64_t>& injected() const { return injected_; }
  const FaultPlan& plan() const { return plan_; }
  struct Event {
    Duration at;
    Fault fault;
  };
  const std::vector<Event>& events() const { return events_; }

 private:
  void inject(const Fault& fault);
  World& world_;
  std::vector<Machine*> machines_;
  FaultPlan plan_;
  bool healed_ = false;
  std::map<std::string, std::uint64_t> injected_;
  std::map<std::string, Duration> down_until_;
  std::vector<Event> events_;
};

}  // namespace troupe::simulations
