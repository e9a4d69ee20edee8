// The node log in a simulated world: power cuts at any write, full disks, rot.
#include <doctest/doctest.h>

#include <memory>

#include "simulations/world/world.hpp"
#include "tests/runtime/storage/world/log_model.hpp"
#include "tests/seeds.hpp"

using namespace std::chrono_literals;
using namespace troupe;
using namespace troupe::runtime;
using namespace troupe::simulations;
using namespace troupe::tests;

namespace {

constexpr char folder[] = "/data/log";
constexpr GroupId groups = 5;

// A process that is nothing but a node log.
class LogProcess final : public SimulatedProcess {
 public:
  explicit LogProcess(std::unique_ptr<NodeLog> opened) : log(std::move(opened)) {}
  void stop() override {}
  std::unique_ptr<NodeLog> log;
};

Result<std::unique_ptr<SimulatedProcess>> start_log(Platform& platform) {
  NodeLog::Options options;
  options.segment_bytes = 120 << 10;
  options.reserve_bytes = 64 << 10;
  options.commit_entries_max = 20;
  TROUPE_TRY(log, NodeLog::open(platform, folder, options));
  return std::unique_ptr<SimulatedProcess>{std::make_unique<LogProcess>(std::move(log))};
}

class LogTorture {
 public:
  explicit LogTorture(std::uint64_t seed)
      : world_{{.seed = seed}}, random_(world_.random()), machine_(world_.add("node", start_log)) {}

  void run(int lives) {
    for (int life = 0; life < lives; ++life) {
      start();
      if (random_.chance(700'000))
        machine_.hardware.disk_faults.power_cut_after = random_.between(1, 800);
      drive();
      world_.run_until([&] { return !machine_.up(); },
                       std::chrono::milliseconds{random_.between(1, 400)});
      ++life_;  // what still comes is nobody's
      world_.crash(machine_);
      machine_.hardware.disk_faults = {};
      machine_.hardware.disk.quota_bytes = UINT64_MAX;
    }
    start();
    world_.crash(machine_);
  }

  // One byte rots. Either that is said, or nothing is lost but the newest commit.
  bool rot_is_found() {
    std::vector<std::string> files;
    for (const auto& name : machine_.hardware.disk.list(folder))
      if (name.starts_with("log-")) files.push_back(std::string{folder} + "/" + name);
    const auto path = files[random_.between(0, files.size() - 1)];
    const auto size = machine_.hardware.disk.find(path)->bytes.size();
    const auto offset = random_.between(0, size - 1);
    machine_.hardware.disk.rot(path, offset, static_cast<std::uint8_t>(random_.between(1, 255)));
    world_.checks().forgive(machine_.name());  // the newest commit may be gone
    CAPTURE(path);
    CAPTURE(offset);
    const auto started = world_.start(machine_);
    if (!started) {
      CAPTURE(started.error().message);
      CHECK(
          (started.error().reason == "LOG_CORRUPT" || started.error().reason == "SCHEMA_TOO_NEW"));
      return true;
    }
    const auto wrong = model_.recover(log(), 1);
    CHECK_MESSAGE(!wrong, *wrong);
    world_.crash(machine_);
    return false;
  }

  // Leaves requests behind that were acknowledged since the last start.
  void fill() {
    start();
    drive();
    world_.run_for(100ms);
    ++life_;
    world_.crash(machine_);
  }

  std::uint64_t acknowledged() const { return model_.acknowledged; }
  std::uint64_t refused() const { return refused_; }
  std::uint64_t trace_hash() const { return world_.trace_hash(); }

 private:
  NodeLog& log() { return *static_cast<LogProcess*>(machine_.process())->log; }

  void start() {
    // The power may fail while the log is being opened, too.
    if (random_.chance(200'000))
      machine_.hardware.disk_faults.power_cut_after = random_.between(1, 60);
    auto started = world_.start(machine_);
    if (!started && started.error().reason == "POWER_CUT") {
      machine_.hardware.disk_faults = {};
      started = world_.start(machine_);
    }
    machine_.hardware.disk_faults = {};
    REQUIRE_MESSAGE(started, (started ? "" : started.error().describe()));
    const auto wrong = model_.recover(log());
    REQUIRE_MESSAGE(!wrong, *wrong);
  }

  void drive() {
    world_.after(std::chrono::microseconds{random_.between(1, 2000)}, [this, life = life_] {
      if (life != life_ || !machine_.up()) return;
      for (auto i = random_.between(1, 4); i > 0; --i) request();
      if (random_.chance(10'000))
        machine_.hardware.disk.quota_bytes =
            machine_.hardware.disk.used_bytes() + random_.between(0, 100'000);
      if (random_.chance(30'000)) machine_.hardware.disk.quota_bytes = UINT64_MAX;
      drive();
    });
  }

  void request() {
    const GroupId group = random_.between(1, groups);
    const auto state = model_.planned(group);
    Request request;
    const auto dice = random_.between(0, 99);
    if (dice < 12) {
      request.term = state.term.value_or(0) + 1;
      request.snapshot = random_.between(state.snapshot, state.next() - 1);
    } else if (dice < 14) {
      request.term = state.term.value_or(0) + 1;
      request.snapshot = state.next() + random_.between(0, 50);
      request.first = request.snapshot + 1;
      add_payloads(request);
    } else if (dice < 20 && !state.entries.empty()) {
      request.first = random_.between(state.entries.begin()->first, state.entries.rbegin()->first);
      add_payloads(request);
    } else {
      request.first = state.next();
      add_payloads(request);
    }
    auto append = request.append(group);
    const auto place = model_.add(group, std::move(request));
    append.done = [this, group, place, life = life_](const Result<void>& result) {
      if (life != life_ || !machine_.up()) return;
      if (!result) CHECK(result.error().reason == "DISK_FULL");
      refused_ += result ? 0 : 1;
      model_.settle(group, place, result.has_value(), log().stats().commits);
    };
    log().append(std::move(append));
  }

  void add_payloads(Request& request) {
    for (auto i = random_.between(1, 4); i > 0; --i)
      request.payloads.push_back(
          std::string(random_.between(0, random_.chance(100'000) ? 20'000 : 300),
                      static_cast<char>(random_.next())) +
          std::to_string(++payloads_));
  }

  World world_;
  RandomStream random_;
  Machine& machine_;
  LogModel model_;
  int life_ = 0;
  std::uint64_t payloads_ = 0;
  std::uint64_t refused_ = 0;
};

}  // namespace

TEST_CASE(
    "the node log survives power cuts at any write and full disks, with all it acknowledged") {
  std::uint64_t acknowledged = 0;
  std::uint64_t refused = 0;
  constexpr auto seeds = tests::seeds(40);
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    CAPTURE(seed);
    LogTorture torture{seed};
    torture.run(6);
    acknowledged += torture.acknowledged();
    refused += torture.refused();
  }
  CHECK(acknowledged > seeds * 100);
  CHECK(refused > seeds);
}

TEST_CASE("a rotten byte in the node log is found, or harms the newest commit at most") {
  int found = 0;
  constexpr auto seeds = tests::seeds(150);
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    CAPTURE(seed);
    LogTorture torture{1000 + seed};
    torture.fill();
    found += torture.rot_is_found() ? 1 : 0;
  }
  CHECK(found > static_cast<int>(seeds / 4));
}

TEST_CASE("one seed makes one history of the node log") {
  const auto hash = [] {
    LogTorture torture{7};
    torture.run(3);
    return torture.trace_hash();
  };
  CHECK(hash() == hash());
}
