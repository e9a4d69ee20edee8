// The shard file in a simulated world: power cuts at any write, between and during checkpoints.
#include <doctest/doctest.h>

#include <map>
#include <memory>

#include "runtime/storage/shard_file.hpp"
#include "simulations/world/world.hpp"
#include "tests/runtime/storage/batch_maker.hpp"
#include "tests/seeds.hpp"

using namespace std::chrono_literals;
using namespace troupe;
using namespace troupe::runtime;
using namespace troupe::simulations;
using namespace troupe::tests;

namespace {

class FileProcess final : public SimulatedProcess {
 public:
  explicit FileProcess(std::unique_ptr<ShardFile> opened) : file(std::move(opened)) {}
  void stop() override {}
  std::unique_ptr<ShardFile> file;
};

Result<std::unique_ptr<SimulatedProcess>> start_file(Platform& platform) {
  TROUPE_CHECK(platform.disk().create_folders("/data"));
  ShardFile::Options options;
  options.page_cache_bytes = 128 << 10;  // large transactions spill
  TROUPE_TRY(file, ShardFile::open(platform.disk(), "/data/shard.db", "test/0", true, options));
  return std::unique_ptr<SimulatedProcess>{std::make_unique<FileProcess>(std::move(file))};
}

constexpr int entities = 60;
std::string entity_name(int number) {
  return "entity " + std::to_string(number);
}

// The entries that the log would hold, and what they make of the entities.
class History {
 public:
  explicit History(RandomStream& random) : random_(random) {}

  ShardFile::Entry entry(LogIndex index) {
    while (entries_.size() < index) extend();
    return {index, 1, entries_[index - 1].bytes};
  }
  // Versions of all entities at an index; 0: it does not exist.
  const std::map<int, std::uint64_t>& versions(LogIndex index) {
    static const std::map<int, std::uint64_t> none;
    return index == 0 ? none : entries_[index - 1].versions;
  }

 private:
  struct Entry {
    SharedBytes bytes;
    std::map<int, std::uint64_t> versions;
  };

  void extend() {
    auto versions = entries_.empty() ? std::map<int, std::uint64_t>{} : entries_.back().versions;
    BatchMaker batch{static_cast<std::int64_t>(entries_.size())};
    for (auto i = random_.between(1, 8); i > 0; --i) {
      const int number = static_cast<int>(random_.between(0, entities - 1));
      if (random_.chance(50'000)) {
        batch.remove_entity(entity_name(number));
        versions.erase(number);
        continue;
      }
      const auto version = ++versions[number];
      batch.state(entity_name(number), version).event(entity_name(number), version);
      batch.reply(entity_name(number), std::to_string(random_.next()), 1000);
    }
    entries_.push_back({batch.bytes(), std::move(versions)});
  }

  RandomStream& random_;
  std::vector<Entry> entries_;
};

class ShardTorture {
 public:
  explicit ShardTorture(std::uint64_t seed)
      : world_{{.seed = seed}},
        random_(world_.random()),
        history_(random_),
        machine_(world_.add("node", start_file)) {}

  void run(int lives) {
    for (int life = 0; life < lives; ++life) {
      start();
      machine_.hardware.disk_faults.power_cut_after = random_.between(1, 600);
      while (machine_.up() && !random_.chance(20'000)) work();
      world_.crash(machine_);
    }
    start();
    world_.crash(machine_);
  }
  std::uint64_t checkpoints() const { return checkpoints_; }
  std::uint64_t lost() const { return lost_; }

 private:
  ShardFile& file() { return *static_cast<FileProcess*>(machine_.process())->file; }

  void work() {
    if (random_.chance(100'000)) {
      const auto done = file().checkpoint();
      if (!done) return world_.crash(machine_);
      durable_ = done->index;
      ++checkpoints_;
      return;
    }
    std::vector<ShardFile::Entry> entries;
    auto index = file().applied().index;
    for (auto i = random_.between(1, random_.chance(100'000) ? 200 : 10); i > 0; --i)
      entries.push_back(history_.entry(++index));
    attempted_ = index;
    if (!file().apply(entries)) return world_.crash(machine_);
    applied_ = index;
  }

  void start() {
    machine_.hardware.disk_faults = {};
    if (random_.chance(300'000))
      machine_.hardware.disk_faults.power_cut_after = random_.between(1, 20);
    auto started = world_.start(machine_);
    machine_.hardware.disk_faults = {};
    if (!started && started.error().reason == "POWER_CUT") started = world_.start(machine_);
    REQUIRE_MESSAGE(started, (started ? "" : started.error().describe()));
    const auto index = file().applied().index;
    REQUIRE(index >= durable_);
    REQUIRE(index <= attempted_);  // one that the power cut ended may be there or not
    lost_ += applied_ > index ? applied_ - index : 0;
    const auto& versions = history_.versions(index);
    REQUIRE(file().entity_count() == versions.size());
    for (int i = 0; i < entities; ++i) {
      const auto loaded = file().load(1, entity_name(i), 0);
      REQUIRE(loaded);
      const auto expected = versions.find(i);
      REQUIRE(loaded->state.has_value() == (expected != versions.end()));
      if (loaded->state) REQUIRE(loaded->state->version() == expected->second);
    }
    const auto findings = file().verify();
    REQUIRE(findings);
    REQUIRE(findings->empty());
    applied_ = attempted_ = index;
  }

  World world_;
  RandomStream random_;
  History history_;
  Machine& machine_;
  LogIndex durable_ = 0;
  LogIndex applied_ = 0;
  LogIndex attempted_ = 0;
  std::uint64_t checkpoints_ = 0;
  std::uint64_t lost_ = 0;
};

}  // namespace

TEST_CASE("the shard file survives power cuts at any write, at or behind its checkpoint") {
  std::uint64_t checkpoints = 0;
  std::uint64_t lost = 0;
  constexpr auto seeds = tests::seeds(40);
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    CAPTURE(seed);
    ShardTorture torture{seed};
    torture.run(8);
    checkpoints += torture.checkpoints();
    lost += torture.lost();
  }
  CHECK(checkpoints > seeds);
  CHECK(lost > seeds);  // the log would bring it back
}
