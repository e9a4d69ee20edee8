#include "tests/simulations/replication/storm.hpp"

namespace troupe::simulations {

void Storm::blow(std::uint64_t seed) {
  if (seed % 3 == 1)
    stage_.machines[any(stage_.machines.size())]->hardware.work_times.max =
        std::chrono::milliseconds{800};
  stage_.start_all();
  for (int round = 0; round < 20 && stage_.failure.empty(); ++round) go_wrong();
  for (int round = 0; seed % 3 == 2 && round < 60 && stage_.failure.empty(); ++round) hurry();
}

void Storm::move_about() {
  stage_.start_all();
  for (int round = 0; round < 8 && stage_.failure.empty(); ++round) {
    std::vector<std::string> all = stage_.set.nodes;
    std::vector<std::string> wish;
    for (const std::size_t count = any(5) == 0 ? 1 : 3; wish.size() < count;) {
      const auto at = all.begin() + static_cast<std::ptrdiff_t>(any(all.size()));
      wish.push_back(*at);
      all.erase(at);
    }
    stage_.want(wish);
    run_ms(any(800));
    for (std::uint64_t part = any(3); part > 0 && stage_.failure.empty(); --part) go_wrong();
  }
}

void Storm::go_wrong() {
  stage_.wires.lost_of_1000 = any(2) ? static_cast<unsigned>(any(200)) : 0;
  delay_up_to_ms(any(2) ? 2 : 2 + any(120));
  const int victim = static_cast<int>(any(stage_.machines.size()));
  Machine& machine = *stage_.machines[victim];
  switch (any(10)) {
    case 0:
      stage_.world.crash(machine);
      break;
    case 1:
      stage_.world.kill(machine);
      break;
    case 2:
      stage_.isolate(victim);
      break;
    case 3:
      for (const std::string& other : stage_.set.nodes) stage_.wires.cut(machine.name(), other);
      break;
    case 4:
      stage_.wires.heal();
      break;
    case 5:  // SIGSTOP: what comes meanwhile waits
      if (!machine.up()) break;
      stage_.world.pause(machine);
      run_ms(300 + any(1100));
      stage_.world.resume(machine);
      break;
    case 6:
      return split_vote();
    case 7:
      return depose();
    case 8:
      return oversleep();
    default:
      stage_.start_all();
  }
  run_ms(100 + any(1200));
}

// Processes that die and come back within an election, while messages take as long.
void Storm::hurry() {
  delay_up_to_ms(any(300));
  stage_.end(*stage_.machines[any(stage_.machines.size())]);
  stage_.start_all();
  run_ms(5 + any(any(4) == 0 ? 900 : 60));
}

// Candidates on two sides that do not hear each other need one and the same vote, of a replica
// whose process dies when it has given it to one of them, and is back before the other asks.
void Storm::split_vote() {
  stage_.wires.heal();
  stage_.wires.lost_of_1000 = 0;
  stage_.start_all();
  run_ms(500);
  const int leader = stage_.leader();
  const auto count = stage_.machines.size();
  const std::size_t voter = leader >= 0 ? static_cast<std::size_t>(leader) : any(count);
  const auto& names = stage_.set.nodes;
  for (std::size_t i = 1; i < count; ++i) {
    for (std::size_t j = 1; j < count; ++j) {
      if ((2 * i < count) != (2 * j < count))
        stage_.wires.cut(names[(voter + i) % count], names[(voter + j) % count]);
    }
  }
  delay_up_to_ms(20 + any(200));
  const auto start_again = [&stage = stage_, voter] {  // maybe when this storm is over
    stage.end(*stage.machines[voter]);
    stage.start(static_cast<int>(voter));
  };
  bool given = false;
  stage_.wires.watch = [&](const std::string& from, const std::string&, const std::string& bytes) {
    if (given || from != names[voter]) return;
    const auto message = cluster::decode(bytes);
    if (!message || message->head.type != ENGINE_REQUEST_VOTE_RESULT ||
        message->head.vote_result.pre_vote || !message->head.vote_result.granted)
      return;
    given = true;
    stage_.world.after(std::chrono::milliseconds{any(20)}, start_again);
  };
  start_again();  // if it led, nobody does
  stage_.world.run_until([&] { return given; }, std::chrono::seconds{2});
  run_ms(200 + any(800));
  stage_.wires.watch = nullptr;
}

// With everything healed; -1: none was elected in time.
int Storm::reach_a_leader() {
  stage_.wires.heal();
  stage_.wires.lost_of_1000 = 0;
  delay_up_to_ms(2);
  stage_.start_all();
  stage_.world.run_until([&] { return stage_.leader() >= 0; }, std::chrono::seconds{3});
  return stage_.leader();
}

void Storm::await_another_leader(int than) {
  stage_.world.run_until([&] { return stage_.leader(than) >= 0; }, std::chrono::seconds{2});
}

// A leader stands still while another is elected, and goes on without hearing of it.
void Storm::oversleep() {
  const int leader = reach_a_leader();
  if (leader < 0) return;
  Machine& machine = *stage_.machines[leader];
  stage_.isolate(leader);
  stage_.world.pause(machine);
  await_another_leader(leader);
  run_ms(any(300));
  stage_.world.resume(machine);
  run_ms(any(600));
}

// A leader is cut off while its disk is slow, and hears of another when what it was to store is
// still on the way.
void Storm::depose() {
  const int leader = reach_a_leader();
  if (leader < 0) return;
  Machine& machine = *stage_.machines[leader];
  auto& faults = machine.hardware.disk_faults;
  faults.slow_jobs = 1'000'000;
  faults.slow_by_max = std::chrono::milliseconds{500 + any(2500)};
  run_ms(any(100));
  stage_.isolate(leader);
  await_another_leader(leader);
  run_ms(any(300));
  stage_.wires.heal();
  run_ms(50 + any(1500));
  if (any(2)) stage_.end(machine);
  faults = {};
}

}  // namespace troupe::simulations
