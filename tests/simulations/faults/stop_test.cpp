// Machines that end in order, in the midst of other faults.
#include <doctest/doctest.h>

#include "simulations/faults/injector.hpp"
#include "tests/simulations/world/support.hpp"

namespace troupe::simulations {
namespace {

struct TwoMachines {
  World world{{.seed = 1}};
  Machine& one{world.add("n1", bare_process())};
  Machine& two{world.add("n2", bare_process())};
  Injector injector;

  explicit TwoMachines(const std::string& plan) : injector{world, parse_fault_plan(plan).value()} {
    REQUIRE(world.start(one));
    REQUIRE(world.start(two));
  }
};

TEST_CASE("a machine that is to stop ends in order, unless it is killed first, and comes back") {
  TwoMachines rig{
      "1s stop n1 lasts=2s\n"
      "1s pause n2 lasts=2s\n"
      "1.5s stop n2 lasts=1s\n"
      "10s pause n2 lasts=2s\n"
      "10.5s stop n2 lasts=10s\n"
      "11s kill n2 lasts=1s\n"};
  rig.world.run_for(1100ms);
  CHECK_FALSE(rig.one.up());
  CHECK_FALSE(rig.injector.anything_stops());
  rig.world.run_for(1s);
  CHECK(rig.two.up());
  CHECK(rig.injector.anything_stops());
  rig.world.run_for(1s);
  CHECK(rig.one.lives() == 2);
  CHECK_FALSE(rig.two.up());
  rig.world.run_for(2s);
  CHECK(rig.two.lives() == 2);
  rig.world.run_for(10s);
  CHECK(rig.two.lives() == 3);
  CHECK(rig.injector.injected().at("stop") == 3);
}

TEST_CASE("a machine that retires ends in order, or as a fault has it, and is gone") {
  TwoMachines rig{"1s kill n2 lasts=1s\n"};
  rig.world.run_for(1100ms);
  rig.injector.retire(rig.one);
  rig.injector.retire(rig.two);
  rig.world.run_for(100ms);
  for (Machine* machine : {&rig.one, &rig.two}) {
    CHECK(rig.injector.is_gone(*machine));
    CHECK_FALSE(machine->up());
  }
  rig.injector.heal_all();
  rig.world.run_for(5s);
  CHECK(rig.one.lives() == 1);
  rig.injector.bring_back(rig.one, false);
  rig.world.run_for(1s);
  CHECK(rig.one.lives() == 2);
  CHECK(rig.two.lives() == 1);
}

}  // namespace
}  // namespace troupe::simulations
