// What goes wrong between the replicas of a stage, drawn from its seed.
#pragma once

#include "tests/simulations/replication/stage.hpp"

namespace troupe::simulations {

class Storm {
 public:
  explicit Storm(Stage& stage) : stage_(stage) {}

  // Seeds differ in what goes wrong in them, and how fast disks are. Ends early when the stage has
  // failed. Not all faults are healed then: Stage::verdict() does that.
  void blow(std::uint64_t seed);
  // Everything goes wrong while the replicas' places change again and again.
  void move_about();
  // One part of it: something happens, then time passes.
  void go_wrong();

 private:
  void hurry();
  void split_vote();
  void oversleep();
  void depose();
  int reach_a_leader();
  void await_another_leader(int than);

  std::uint64_t any(std::uint64_t n) { return stage_.any(n); }
  void run_ms(std::uint64_t ms) { stage_.world.run_for(std::chrono::milliseconds{ms}); }
  void delay_up_to_ms(std::uint64_t ms) { stage_.wires.delay_max = std::chrono::milliseconds{ms}; }

  Stage& stage_;
};

}  // namespace troupe::simulations
