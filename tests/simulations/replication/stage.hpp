// Replicas of one shard in a world, their clients, and what may be asked of all of it.
#pragma once

#include <algorithm>

#include "tests/simulations/replication/clients.hpp"

namespace troupe::simulations {

struct Stage {
  explicit Stage(std::uint64_t seed, int nodes = 3)
      : world({.seed = seed}),
        wires(world),
        dice(seed, Domain::scenario, 0, 0),
        checks([this](const std::string& what) { fail(what); }, [this] { return world.now(); }) {
    set.raft.snapshot_threshold = 10;
    set.raft.files.chunk_bytes = 16 << 10;
    set.raft.files.keep_copy = std::chrono::seconds{3};
    set.shard.checkpoint_entries = 25;
    set.shard.apply_delay_max = std::chrono::milliseconds{50};
    for (int i = 1; i <= nodes; ++i) set.nodes.push_back("n" + std::to_string(i));
    for (const std::string& name : set.nodes) {
      Machine& machine = world.add(name, ReplicaNode::start(name, set, wires));
      machine.hardware.checks = &checks;
      machines.push_back(&machine);
    }
    world.on_down = [this](Machine& machine) {
      if (machine.crashed()) fail(machine.name() + " stopped: " + machine.crashed()->describe());
    };
  }
  void fail(const std::string& what) {
    if (failure.empty()) failure = what;
  }
  ReplicaNode& node(int i) { return dynamic_cast<ReplicaNode&>(*machines[i]->process()); }
  void start(int i) {
    if (machines[i]->process() != nullptr) return;
    const auto started = world.start(*machines[i]);
    if (!started) fail("start of " + machines[i]->name() + ": " + started.error().describe());
  }
  void start_all() {
    for (std::size_t i = 0; i < machines.size(); ++i) start(static_cast<int>(i));
  }
  // The node whose shard serves; -1: none.
  int leader() {
    for (std::size_t i = 0; i < machines.size(); ++i) {
      const int at = static_cast<int>(i);
      if (machines[i]->up() && node(at).vitals().state == "serving" &&
          node(at).vitals().consensus.role == "leader")
        return at;
    }
    return -1;
  }
  void isolate(int i) {
    for (const std::string& other : set.nodes) {
      wires.cut(machines[i]->name(), other);
      wires.cut(other, machines[i]->name());
    }
  }
  void add_clients(int count, int keys) {
    for (int i = 0; i < count; ++i) {
      clients.push_back(std::make_unique<Client>(world, static_cast<std::uint32_t>(i), keys));
      clients.back()->run();
    }
  }
  std::vector<Operation> history() const {
    std::vector<Operation> all;
    for (const auto& client : clients)
      all.insert(all.end(), client->history.begin(), client->history.end());
    return all;
  }
  // All replicas have applied what the leader has committed, and nothing goes on.
  bool equal() {
    const int at = leader();
    if (at < 0) return false;
    const auto commit = node(at).vitals().consensus.commit;
    for (std::size_t i = 0; i < machines.size(); ++i) {
      if (!machines[i]->up()) return false;
      const auto vitals = node(static_cast<int>(i)).vitals();
      if (vitals.applied < commit && vitals.consensus.role != "absent") return false;
    }
    return true;
  }
  // One part of a run with faults: something happens, then time passes.
  void go_wrong() {
    wires.lost_of_1000 = any(2) ? static_cast<unsigned>(any(200)) : 0;
    wires.delay_max = std::chrono::milliseconds{any(2) ? 2 : 2 + any(120)};
    const int victim = static_cast<int>(any(machines.size()));
    Machine& machine = *machines[victim];
    switch (any(6)) {
      case 0:
        world.crash(machine);
        break;
      case 1:
        world.kill(machine);
        break;
      case 2:
        isolate(victim);
        break;
      case 3:
        for (const std::string& other : set.nodes) wires.cut(machine.name(), other);
        break;
      case 4:
        wires.heal();
        break;
      default:
        start_all();
    }
    world.run_for(std::chrono::milliseconds{100 + any(1200)});
  }
  std::uint64_t any(std::uint64_t n) { return dice.next() % n; }

  // Ends all faults, lets the clients finish and the replicas become equal. What is wrong, if
  // anything is.
  std::string verdict() {
    wires.heal();
    wires.lost_of_1000 = 0;
    wires.delay_max = std::chrono::milliseconds{2};
    start_all();
    for (auto& client : clients) client->finish();
    const auto idle = [this] {
      return !failure.empty() || std::all_of(clients.begin(), clients.end(),
                                             [](const auto& client) { return client->idle(); });
    };
    const bool finished = world.run_until(idle, std::chrono::seconds{60});
    const auto settled = [this] { return !failure.empty() || equal(); };
    const bool same = finished && world.run_until(settled, std::chrono::seconds{60});
    if (!failure.empty()) return failure;
    if (!finished) {
      std::string waiting = "clients wait for ever:";
      for (auto& client : clients)
        for (const auto& [reason, count] : client->errors)
          waiting += " " + reason + " " + std::to_string(count);
      return waiting;
    }
    if (!same) return "replicas do not become equal";
    if (auto wrong = not_linearizable(history()); !wrong.empty()) return wrong;
    // Every add was answered in the end, so every one has taken effect, once.
    std::map<int, std::int64_t> adds;
    std::map<int, std::int64_t> highest;
    for (const Operation& one : history()) {
      adds[one.key] += one.read ? 0 : 1;
      highest[one.key] = std::max(highest[one.key], one.value);
    }
    for (const auto& [key, count] : adds)
      if (highest[key] != count)
        return "key " + std::to_string(key) + " is at " + std::to_string(highest[key]) + " after " +
               std::to_string(count) + " adds";
    return {};
  }

  ReplicaNode::Set set;
  World world;
  Wires wires;
  RandomStream dice;
  ReplicaChecks checks;
  std::vector<Machine*> machines;
  std::vector<std::unique_ptr<Client>> clients;
  std::string failure;
};

}  // namespace troupe::simulations
