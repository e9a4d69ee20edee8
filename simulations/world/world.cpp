#include "simulations/world/world.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <utility>

#include "simulations/world/check.hpp"

namespace troupe::simulations {

namespace {

bool a_world_exists = false;

// Actors or events that go on without letting time pass would stop the clock.
constexpr std::uint64_t steps_at_one_time_max = 10'000'000;

// SQLite draws salts and temporary names from one generator per process. Zero would mean a seed
// from the operating system.
void seed_sqlite(std::uint64_t seed) {
  const auto number = RandomStream{seed, Domain::sqlite, 0, 0}.between(1, INT32_MAX);
  check(sqlite3_test_control(SQLITE_TESTCTRL_PRNG_SEED, static_cast<int>(number), nullptr) ==
            SQLITE_OK,
        "SQLite's random generator could not be seeded");
}

// Marks that a node's own code runs.
class InNode {
 public:
  explicit InNode(bool& flag) : flag_(flag), before_(std::exchange(flag, true)) {}
  ~InNode() { flag_ = before_; }

 private:
  bool& flag_;
  bool before_;
};

}  // namespace

World::World(Options options)
    : seed_(options.seed),
      schedule_(options.schedule),
      trace_(options.trace, options.sink),
      checks_(
          [this](const std::string& what) {
            check_failed(std::to_string(now().count()) + " ns: replica checks: " + what);
          },
          [this] { return now(); }),
      fabric_(loop_, options.seed, options.network_times) {
  check(!std::exchange(a_world_exists, true), "a second world was made while one exists");
  check_single_thread();
  check(sqlite3_initialize() == SQLITE_OK, "SQLite could not be initialised");
  seed_sqlite(seed_);
  fabric_.add_host("outside", 0);
  outside_ =
      std::make_unique<SimPlatform>(make_life(0, "outside", 1), outside_hardware_, fabric_, log_);
}

World::~World() {
  for (const auto& machine : machines_) crash(*machine);
  outside_->drop_connections();
  outside_->life().end();
  sqlite3_test_control(SQLITE_TESTCTRL_PRNG_SEED, 0, nullptr);
  a_world_exists = false;
}

std::shared_ptr<Life> World::make_life(std::uint32_t node, const std::string& name,
                                       std::uint32_t number) {
  return std::make_shared<Life>(seed_, loop_, trace_, node, name, number);
}

Machine& World::add(const std::string& name, StartProcess start) {
  check(!fabric_.resolves(name), "the name of a machine is taken: " + name);
  auto machine = std::make_unique<Machine>();
  machine->name_ = name;
  machine->number_ = static_cast<std::uint32_t>(machines_.size() + 1);
  fabric_.add_host(name, machine->number_);
  machine->start_ = std::move(start);
  machine->hardware.checks = &checks_;
  machines_.push_back(std::move(machine));
  return *machines_.back();
}

Machine* World::find(const std::string& name) {
  const auto found = std::ranges::find(machines_, name, [](const auto& m) { return m->name(); });
  return found == machines_.end() ? nullptr : found->get();
}

void World::check_not_in_node(const char* what) const {
  check(!in_node_, std::string{what} + "() was called by code of a node");
}

Result<void> World::start(Machine& machine) {
  check_not_in_node("World::start");
  check(machine.platform_ == nullptr, "a process runs on " + machine.name_ + " already");
  auto life = make_life(machine.number_, machine.name_, ++machine.lives_);
  machine.crashed_.reset();
  life->on_crash = [this, &machine, number = machine.lives_](const Error& why) {
    machine.crashed_ = why;
    loop_.after(Duration{0}, [this, &machine, number] {
      if (machine.lives_ != number || machine.platform_ == nullptr) return;
      crash(machine);
      if (on_down) on_down(machine);
    });
  };
  life->record("start", std::to_string(machine.lives_));
  machine.chooser_.reset();
  if (schedule_.strategy != Strategy::fifo) {
    machine.chooser_ = std::make_unique<JobChooser>(schedule_, life->stream(Domain::schedule));
  }
  machine.platform_ = std::make_unique<SimPlatform>(life, machine.hardware, fabric_, log_);
  auto process = [&] {
    const InNode in_node{in_node_};
    return machine.start_(*machine.platform_);
  }();
  check_single_thread();
  if (process) {
    machine.process_ = std::move(*process);
    if (!life->over()) return {};
  }
  const auto error = machine.crashed_ ? *machine.crashed_ : process.error();
  if (life->over()) {
    crash(machine);
  } else {
    life->record("start.fail", error.reason);
    end_process(machine);
  }
  return error;
}

void World::crash(Machine& machine) {
  check_not_in_node("World::crash");
  if (machine.platform_ == nullptr) return;
  end_at_once(machine, "crash");
  machine.hardware.disk.crash({seed_, Domain::crash, machine.number_, machine.lives_});
}

void World::kill(Machine& machine) {
  check_not_in_node("World::kill");
  if (machine.platform_ == nullptr) return;
  end_at_once(machine, "kill");
  machine.hardware.disk.process_died();
}

void World::end_at_once(Machine& machine, std::string_view how) {
  auto& life = machine.platform_->life();
  life.record(how, "");
  life.end();
  if (auto* scheduler = machine.platform_->scheduler()) {
    machine.platform_->drop_connections();
    scheduler->kill_actors();
  }
  end_process(machine);
}

void World::pause(Machine& machine) {
  check_not_in_node("World::pause");
  if (machine.up()) machine.platform_->life().pause();
}

void World::resume(Machine& machine) {
  check_not_in_node("World::resume");
  if (machine.up()) machine.platform_->life().resume();
}

void World::lose_disk(Machine& machine) {
  check(machine.platform_ == nullptr, "the disk of " + machine.name_ + " is in use");
  const auto quota = machine.hardware.disk.quota_bytes;
  machine.hardware.disk = {};
  machine.hardware.disk.quota_bytes = quota;
  checks_.forgive(machine.name());
}

// Everything that the process could still do is over, or it has ended in order.
void World::end_process(Machine& machine) {
  {
    const InNode in_node{in_node_};
    machine.platform_->drop_connections();
    machine.process_.reset();
  }
  check(machine.platform_->scheduler() == nullptr,
        "the process on " + machine.name_ + " left its actor system behind");
  machine.platform_->life().end();
  machine.platform_.reset();
  check_single_thread();
}

std::uint32_t World::number_of(const std::string& name) const {
  if (name == "outside") return 0;
  const auto found = std::ranges::find(machines_, name, [](const auto& m) { return m->name(); });
  check(found != machines_.end(), "no machine has the name " + name);
  return (*found)->number_;
}

void World::set_path(const std::string& from, const std::string& to, const PathFaults& faults) {
  fabric_.set_path(number_of(from), number_of(to), faults);
}

void World::set_refusing(const std::string& name, bool refusing) {
  fabric_.set_refusing(number_of(name), refusing);
}

std::size_t World::reset_connections(const std::string& one, const std::string& other) {
  return fabric_.reset_connections(number_of(one), number_of(other));
}

void World::note_fault(const std::string& machine, std::string_view text) {
  const bool is_machine = !machine.empty() && machine != "outside";
  trace_.record(loop_.now(), is_machine ? number_of(machine) : 0, machine, "fault", text, {});
}

void World::ask_to_stop(Machine& machine) {
  check_not_in_node("World::ask_to_stop");
  machine.platform_->life().record("stop", "");
  const InNode in_node{in_node_};
  machine.process_->stop();
}

// Of a machine with a process that was asked to stop.
bool World::has_ended(Machine& machine) {
  auto* scheduler = machine.platform_->scheduler();
  return machine.up() && (scheduler == nullptr || scheduler->running() == 0);
}

bool World::end_stopped(Machine& machine) {
  check_not_in_node("World::end_stopped");
  if (machine.paused() || !has_ended(machine)) return false;
  end_process(machine);
  return true;
}

bool World::stop(Machine& machine, Duration limit) {
  if (machine.process_ == nullptr) return true;
  ask_to_stop(machine);
  const auto life = machine.lives_;
  const auto ended = [&] {
    if (machine.platform_ == nullptr || machine.lives_ != life) return true;  // crashed on the way
    return has_ended(machine);
  };
  if (!run_until(ended, limit)) return false;
  if (machine.platform_ == nullptr || machine.lives_ != life) return false;
  end_process(machine);
  return true;
}

bool World::run_until(const std::function<bool()>& done, Duration limit) {
  const auto end = loop_.now() + limit;
  while (!done()) {
    if (step(end)) continue;
    loop_.advance_to(end);
    return done();
  }
  return true;
}

void World::run_for(Duration time) {
  run_until([] { return false; }, time);
}

// The order is documented in event_loop.hpp.
bool World::step(Duration limit) {
  if (std::exchange(counted_at_, loop_.now()) != loop_.now()) steps_at_now_ = 0;
  check(++steps_at_now_ < steps_at_one_time_max, "the nodes go on without letting time pass");
  SimScheduler* earliest = nullptr;
  std::optional<Duration> due;
  for (const auto& machine : machines_) {
    auto* scheduler = machine->up() ? machine->platform_->scheduler() : nullptr;
    if (scheduler == nullptr || machine->platform_->life().paused()) continue;
    if (scheduler->has_job()) {
      if (machine->chooser_) scheduler->bring_forward(*machine->chooser_);
      const InNode in_node{in_node_};
      scheduler->run_one();
      return true;
    }
    const auto timeout = scheduler->next_timeout();
    if (timeout && (!due || *timeout < *due)) {
      due = timeout;
      earliest = scheduler;
    }
  }
  const auto event = loop_.next_due();
  const bool timeout_first = due && (!event || *due <= *event);
  if (timeout_first ? *due > limit : !event || *event > limit) return false;
  if (timeout_first) {
    loop_.advance_to(std::max(*due, loop_.now()));
    earliest->fire_timeout();
  } else {
    loop_.run_next();
  }
  return true;
}

}  // namespace troupe::simulations
