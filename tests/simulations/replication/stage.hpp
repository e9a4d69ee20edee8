// Replicas of one shard in a world, their clients, and what may be asked of all of it.
#pragma once

#include <algorithm>

#include "cluster/replication/raft_codec.hpp"
#include "tests/simulations/replication/clients.hpp"

namespace troupe::simulations {

struct Stage {
  // `spare` nodes beyond the first ones have no replica until they are wished.
  explicit Stage(std::uint64_t seed, int nodes = 3, int spare = 0)
      : world({.seed = seed}),
        wires(world),
        dice(seed, Domain::scenario, 0, 0),
        checks([this](const std::string& what) { fail(what); }, [this] { return world.now(); }) {
    set.raft.snapshot_threshold = 10;
    set.raft.files.chunk_bytes = 16 << 10;
    set.raft.files.keep_copy = std::chrono::seconds{3};
    set.shard.checkpoint_entries = 25;
    set.shard.apply_delay_max = std::chrono::milliseconds{50};
    for (int i = 1; i <= nodes + spare; ++i) set.nodes.push_back("n" + std::to_string(i));
    if (spare > 0) set.wish = set.founders = {set.nodes.begin(), set.nodes.begin() + nodes};
    for (const std::string& name : set.nodes) {
      Machine& machine = world.add(name, ReplicaNode::start(name, set, wires));
      machine.hardware.checks = &checks;
      machines.push_back(&machine);
    }
    world.on_down = [this](Machine& machine) {
      if (machine.crashed()) fail(machine.name() + " stopped: " + machine.crashed()->describe());
    };
    watch_links();
  }
  // Calls that are under way are answered while their clients are there.
  ~Stage() {
    for (Machine* const machine : machines) world.kill(*machine);
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
  // A node whose shard serves; -1: none.
  int leader(int other_than = -1) {
    for (std::size_t i = 0; i < machines.size(); ++i) {
      const int at = static_cast<int>(i);
      if (at != other_than && machines[i]->up() && node(at).vitals().state == "serving" &&
          node(at).vitals().consensus.role == "leader")
        return at;
    }
    return -1;
  }
  // Crashes or kills.
  void end(Machine& machine) {
    if (machine.process() != nullptr) any(2) ? world.kill(machine) : world.crash(machine);
  }
  std::uint64_t any(std::uint64_t n) { return dice.next() % n; }
  // Its replicas are to be there.
  void want(std::vector<std::string> nodes) {
    set.wish = std::move(nodes);
    for (std::size_t i = 0; i < machines.size(); ++i)
      if (machines[i]->up())
        actors::send_job(node(static_cast<int>(i)).shard(),
                         [](actors::Shard& shard) { shard.places_changed(); });
  }
  bool wished(int i) const {
    return set.wish.empty() || std::ranges::find(set.wish, machines[i]->name()) != set.wish.end();
  }
  // Voters where they are to be, and no past elsewhere, by the word of the shards' actors.
  bool moved() {
    if (leader() < 0) return false;
    const auto right = std::make_shared<std::size_t>(0);  // a job may run late, or never
    for (std::size_t i = 0; i < machines.size(); ++i) {
      if (!machines[i]->up()) return false;
      actors::send_job(node(static_cast<int>(i)).shard(),
                       [right, wish = set.wish,
                        is_wished = wished(static_cast<int>(i))](const actors::Shard& shard) {
                         const auto group = shard.group();
                         if (!is_wished) {
                           *right += group.role == "absent" && group.last == 0;
                           return;
                         }
                         std::set<std::string> voters;
                         for (const auto& one : shard.voters()) voters.insert(one.node);
                         *right += (group.role == "leader" || group.role == "follower") &&
                                   voters == std::set<std::string>{wish.begin(), wish.end()};
                       });
    }
    world.run_for(std::chrono::milliseconds{5});
    return *right == machines.size();
  }
  // Whether the replica itself believes that it votes, and somebody leads; or has nothing to do
  // with the group.
  bool votes(int i) {
    if (leader() < 0 || !machines[i]->up()) return false;
    if (!wished(i)) return true;
    const auto role = node(i).vitals().consensus.role;
    return role == "leader" || role == "follower";
  }
  // All are voters and up to date. False: something failed.
  bool settle() {
    wires.heal();
    wires.lost_of_1000 = 0;
    wires.delay_max = std::chrono::milliseconds{2};
    start_all();
    const auto settled = [this] {
      bool all = leader() >= 0;
      for (std::size_t i = 0; i < machines.size() && all; ++i) all = votes(static_cast<int>(i));
      return !failure.empty() || (all && near());
    };
    if (!world.run_until(settled, std::chrono::seconds{60}))
      fail("replicas do not settle" + describe());
    return failure.empty();
  }
  // Takes the disk of a node, which begins anew when it is started.
  DiskImage lose_disk(int i) {
    Machine& machine = *machines[i];
    world.crash(machine);
    DiskImage disk = std::move(machine.hardware.disk);
    world.lose_disk(machine);
    checks.forgive(machine.name());
    set.may_create = false;
    return disk;
  }
  void isolate(int i) {
    for (const std::string& other : set.nodes) {
      wires.cut(machines[i]->name(), other);
      wires.cut(other, machines[i]->name());
    }
  }
  void add_clients(int count, int keys, std::uint64_t pause_ms = 20) {
    for (int i = 0; i < count; ++i) {
      clients.push_back(std::make_unique<Client>(world, static_cast<std::uint32_t>(i), keys));
      clients.back()->pause_ms = pause_ms;
      if (i >= count - 2) clients.back()->wanders = true;
      clients.back()->run();
    }
  }
  // As a mesh would: a link ends at once with a process, and after a while of silence.
  void watch_links() {
    constexpr int silent_ticks = 15;
    const auto count = machines.size();
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t j = 0; j < count && machines[i]->up(); ++j) {
        if (i == j) continue;
        Link& link = links[{i, j}];
        if (link.own_life != machines[i]->lives()) link = {machines[i]->lives(), 0, false, 0};
        const bool cut = wires.is_cut(machines[i]->name(), machines[j]->name());
        link.silent = cut ? link.silent + 1 : 0;
        const bool same = link.life == machines[j]->lives();
        const bool up = machines[j]->up() && (link.up ? same && link.silent < silent_ticks : !cut);
        if (up == link.up) continue;
        link.up = up;
        link.life = machines[j]->lives();
        node(static_cast<int>(i)).link_changed(machines[j]->name(), up);
      }
    }
    world.after(std::chrono::milliseconds{100}, [this] { watch_links(); });
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
      if (wished(static_cast<int>(i)) && vitals.applied < commit) return false;
      if (!votes(static_cast<int>(i))) return false;
    }
    return true;
  }
  // All replicas have nearly everything, while clients go on.
  bool near() {
    const int at = leader();
    if (at < 0) return false;
    for (std::size_t i = 0; i < machines.size(); ++i)
      if (wished(static_cast<int>(i)) && node(static_cast<int>(i)).vitals().consensus.commit + 50 <
                                             node(at).vitals().consensus.commit)
        return false;
    return true;
  }
  // Of each node, and the end of the log.
  std::string describe() {
    std::string text;
    for (std::size_t i = 0; i < machines.size(); ++i) {
      text += "\n" + machines[i]->name() + ": ";
      if (!machines[i]->up()) {
        text += "down";
        continue;
      }
      const auto vitals = node(static_cast<int>(i)).vitals();
      const auto& group = vitals.consensus;
      text += vitals.state + " " + group.role + " term " + std::to_string(group.term) + " commit " +
              std::to_string(group.commit) + " last " + std::to_string(group.last) + " applied " +
              std::to_string(vitals.applied) + " snapshot " + std::to_string(group.snapshot) +
              " leader " + group.leader;
      const auto& log = node(static_cast<int>(i)).log();
      const auto record = log.record(replicated_group);
      const auto counts = node(static_cast<int>(i)).counts();
      text += "; log to " + std::to_string(log.last_index(replicated_group)) + " term " +
              std::to_string(record ? record->term : 0) + "; sent " + std::to_string(counts.sent) +
              " received " + std::to_string(counts.received) + " unknown " +
              std::to_string(counts.unknown) + " " + node(static_cast<int>(i)).ended();
    }
    std::map<std::string, int> messages;
    wires.watch = [&](const std::string& from, const std::string& to, const std::string& bytes) {
      const auto message = cluster::decode(bytes);
      std::string what = from + "->" + to + " type " + std::to_string(message->head.type);
      if (message->head.type == ENGINE_APPEND_ENTRIES)
        what += " behind " + std::to_string(message->head.append.prev_index) + " n " +
                std::to_string(message->entries.size());
      if (message->head.type == ENGINE_APPEND_ENTRIES_RESULT)
        what += " rejected " + std::to_string(message->head.append_result.rejected) + " last " +
                std::to_string(message->head.append_result.last_index);
      ++messages[what];
    };
    world.run_for(std::chrono::seconds{1});
    wires.watch = nullptr;
    for (const auto& [what, count] : messages) text += "\n" + std::to_string(count) + " " + what;
    for (std::size_t i = 0; i < machines.size(); ++i) {
      if (!machines[i]->up()) continue;
      const auto stats = node(static_cast<int>(i)).log().stats();
      text += "\n" + machines[i]->name() + (machines[i]->paused() ? " paused" : "") +
              " log: " + std::to_string(stats.commits) + " commits " +
              std::to_string(stats.entries) + " entries; ";
      auto request = std::make_shared<actors::Request>();
      request->service = &actors::testing::counter_type();
      request->method = actors::testing::get;
      request->key = "k";
      request->deadline = MonotonicTime::max();
      const auto answer = std::make_shared<std::string>("no answer");
      request->reply_to = [answer](Result<actors::Reply> reply) {
        *answer = reply ? "answers" : reply.error().reason;
      };
      actors::send_request(node(static_cast<int>(i)).shard(), std::move(request));
      world.run_for(std::chrono::milliseconds{200});
      text += *answer;
    }
    const auto& lines = world.log().lines;
    for (std::size_t i = lines.size() < 40 ? 0 : lines.size() - 40; i < lines.size(); ++i)
      text += "\n" + std::to_string(lines[i].time.count() / 1'000'000) + " ms " + lines[i].node +
              " " + lines[i].text;
    return text;
  }

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
      return waiting + describe();
    }
    if (!same) return "replicas do not become equal" + describe();
    if (!set.wish.empty()) {
      bool there = false;
      for (int i = 0; i < 600 && !there; ++i) {
        there = moved();
        if (!there) world.run_for(std::chrono::milliseconds{100});
      }
      if (!failure.empty()) return failure;
      if (!there) return "replicas do not come to their places" + describe();
    }
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

  struct Link {
    std::uint32_t own_life = 0;
    std::uint32_t life = 0;  // of the process at the other end
    bool up = false;
    int silent = 0;
  };
  std::map<std::pair<std::size_t, std::size_t>, Link> links;
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
