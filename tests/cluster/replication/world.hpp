// What raft groups stand on, in one thread on virtual time: an event pump, a platform, and a node
// log in memory whose disk the tests can hold up, fill and cut short.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "cluster/replication/raft_group.hpp"
#include "runtime/platform/os/os_disk.hpp"
#include "tests/cluster/replication/witness.hpp"

namespace troupe::cluster::test {

class Pump {
 public:
  void at(Duration time, std::function<void()> job) {
    queue_.push({std::max(time, now_), number_++, std::move(job)});
  }
  void after(Duration delay, std::function<void()> job) { at(now_ + delay, std::move(job)); }

  Duration now() const { return now_; }
  std::size_t waiting() const { return queue_.size(); }

  // Runs everything up to a moment, and lets the time come.
  void run_until(Duration time) {
    while (!queue_.empty() && queue_.top().time <= time) run_one();
    now_ = std::max(now_, time);
  }
  void run_for(Duration time) { run_until(now_ + time); }

  // Runs until the condition holds; false: it did not within `patience`.
  bool run_while_not(const std::function<bool()>& condition,
                     Duration patience = std::chrono::seconds(60)) {
    const Duration end = now_ + patience;
    while (!condition()) {
      if (queue_.empty() || queue_.top().time > end) return false;
      run_one();
    }
    return true;
  }

 private:
  struct Event {
    Duration time;
    std::uint64_t number;
    std::function<void()> job;
    bool operator<(const Event& other) const {
      return std::tie(time, number) > std::tie(other.time, other.number);
    }
  };
  void run_one() {
    auto job = std::move(const_cast<Event&>(queue_.top()).job);
    now_ = queue_.top().time;
    queue_.pop();
    job();
  }

  std::priority_queue<Event> queue_;
  Duration now_{};
  std::uint64_t number_ = 0;
};

class PumpExecutor final : public actors::Executor {
 public:
  explicit PumpExecutor(Pump& pump) : pump_(pump) {}
  void post(std::function<void()> job) override {
    ++posts;
    pump_.after({}, std::move(job));
  }
  void post_after(Duration delay, std::function<void()> job) override {
    ++delayed_posts;
    pump_.after(delay, std::move(job));
  }
  std::uint64_t posts = 0;
  std::uint64_t delayed_posts = 0;

 private:
  Pump& pump_;
};

class FakePlatform final : public runtime::Platform,
                           runtime::Clock,
                           runtime::Random,
                           runtime::Workers,
                           runtime::Logger {
 public:
  FakePlatform(Pump& pump, std::uint64_t seed) : pump_(pump), state_(seed) {}

  runtime::Clock& clock() override { return *this; }
  runtime::Random& random() override { return *this; }
  runtime::Disk& disk() override { return *disk_; }
  runtime::Network& network() override { throw std::logic_error("no network here"); }
  runtime::Workers& workers() override { return *this; }
  runtime::Logger& log() override { return *this; }
  runtime::Metrics& metrics() override { return *metrics_; }
  void configure(caf::actor_system_config&) override {}
  void fail_stop(const Error& why) override { throw std::logic_error(why.describe()); }

 private:
  class Queue final : public runtime::WorkQueue {
   public:
    explicit Queue(FakePlatform& platform) : platform_(platform) {}
    void post(std::function<void()> job) override {
      platform_.pump_.after(platform_.queue_latency, std::move(job));
    }

   private:
    FakePlatform& platform_;
  };

  MonotonicTime now() const override { return MonotonicTime(pump_.now()); }
  WallTime wall() const override { return WallTime{}; }
  std::uint64_t next() override {  // splitmix64
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
  }
  std::unique_ptr<runtime::WorkQueue> queue(const std::string&, Kind) override {
    return std::make_unique<Queue>(*this);
  }
  bool enabled(runtime::LogLevel) const override { return true; }
  void write(runtime::LogLevel, std::string_view event, std::string, std::vector<runtime::LogField>,
             std::string) override {
    events.emplace_back(event);
  }

 public:
  std::vector<std::string> events;  // logged
  Duration queue_latency = std::chrono::microseconds(100);

 private:
  std::unique_ptr<runtime::Disk> disk_ = runtime::make_os_disk();
  std::unique_ptr<runtime::Metrics> metrics_ = runtime::Metrics::make();
  Pump& pump_;
  std::uint64_t state_;
};

// A node log as its header says, on a disk that can be held up (nothing becomes durable) or full.
class FakeLog : public runtime::NodeLog {
 public:
  explicit FakeLog(Pump& pump) : pump_(pump) {}

  void append(Append append) override {
    waiting_.push_back(std::move(append));
    if (!scheduled_ && !held_up_) schedule();
  }
  std::optional<runtime::GroupRecord> record(runtime::GroupId group) const override {
    const auto found = groups_.find(group);
    return found == groups_.end() ? std::nullopt : found->second.record;
  }
  runtime::LogIndex first_index(runtime::GroupId group) const override {
    const auto found = groups_.find(group);
    return found == groups_.end() || found->second.entries.empty()
               ? 0
               : found->second.entries.begin()->first;
  }
  runtime::LogIndex last_index(runtime::GroupId group) const override {
    const auto found = groups_.find(group);
    return found == groups_.end() || found->second.entries.empty()
               ? 0
               : found->second.entries.rbegin()->first;
  }
  std::vector<runtime::GroupId> groups() const override {
    std::vector<runtime::GroupId> all;
    for (const auto& [group, content] : groups_) all.push_back(group);
    return all;
  }
  Result<std::vector<runtime::LogEntry>> read(runtime::GroupId group, runtime::LogIndex from,
                                              runtime::LogIndex to) override {
    ++reads;
    std::vector<runtime::LogEntry> entries;
    for (runtime::LogIndex index = from; index <= to; ++index) {
      const auto found = groups_[group].entries.find(index);
      if (found == groups_[group].entries.end())
        return not_found("no entry " + std::to_string(index));
      entries.push_back(found->second);
    }
    return entries;
  }
  std::vector<runtime::GroupId> laggards(std::size_t) const override { return holding_back; }
  Stats stats() const override { return {}; }

  // --- the disk
  // -----------------------------------------------------------------------------------
  void hold_up() { held_up_ = true; }
  void go_on() {
    held_up_ = false;
    if (!waiting_.empty() && !scheduled_) schedule();
  }
  bool full = false;
  std::vector<runtime::GroupId> holding_back;
  Duration latency = std::chrono::milliseconds(1);

  // The machine loses power: what was not durable is gone, completions never come.
  void power_cut() {
    waiting_.clear();
    ++life_;
    scheduled_ = held_up_ = false;
  }

  // The machine comes back with an empty disk.
  void lose() {
    power_cut();
    groups_.clear();
    full = false;
  }

  // --- what is on it
  // ------------------------------------------------------------------------------
  struct Content {
    std::optional<runtime::GroupRecord> record;
    std::map<runtime::LogIndex, runtime::LogEntry> entries;
  };
  Content& content(runtime::GroupId group) { return groups_[group]; }
  std::uint64_t commits = 0;
  std::uint64_t reads = 0;

 private:
  void schedule() {
    scheduled_ = true;
    pump_.after(latency, [this, life = life_] {
      if (life == life_) commit();
    });
  }
  void commit() {
    scheduled_ = false;
    if (held_up_) return;
    auto appends = std::exchange(waiting_, {});
    ++commits;
    for (Append& append : appends) {
      if (full) {
        append.done(resource_exhausted("DISK_FULL", "no space is left on the test's disk"));
        continue;
      }
      if (!append.entries.empty() && leaves_gap(append)) {
        append.done(aborted("LOG_GAP", "an append before this one failed"));
        continue;
      }
      apply(append);
      append.done({});
    }
  }
  bool leaves_gap(const Append& append) {
    const Content& content = groups_[append.group];
    runtime::LogIndex last = append.record    ? append.record->snapshot_index
                             : content.record ? content.record->snapshot_index
                                              : 0;
    const bool anew =
        append.record && content.record && append.record->generation > content.record->generation;
    if (!content.entries.empty() && !anew) last = content.entries.rbegin()->first;
    return append.entries.front().index > last + 1;
  }
  void apply(const Append& append) {
    Content& content = groups_[append.group];
    if (append.record && content.record && append.record->generation > content.record->generation)
      content.entries.clear();
    if (append.record) content.record = append.record;
    for (const runtime::LogEntry& entry : append.entries) {
      content.entries.erase(content.entries.lower_bound(entry.index), content.entries.end());
      content.entries[entry.index] = entry;
    }
    if (content.record)
      content.entries.erase(content.entries.begin(),
                            content.entries.upper_bound(content.record->snapshot_index));
  }

  Pump& pump_;
  std::map<runtime::GroupId, Content> groups_;
  std::vector<Append> waiting_;
  bool scheduled_ = false;
  bool held_up_ = false;
  std::uint64_t life_ = 0;
};

// One replica of group 7 with everything below it. stop() is what a crash of the process leaves.
class Node {
 public:
  static constexpr runtime::GroupId group_id = 7;

  Node(Pump& world, RaftOptions options = {}, std::uint64_t seed = 1)
      : pump(world),
        platform(world, seed),
        log(world),
        executor(world),
        options_(std::move(options)) {
    if (options_.node.empty()) options_.node = "n1";
  }

  void start(runtime::LogIndex applied = 0) {
    const std::string folder = witness.folder;
    const std::size_t padding = witness.padding;
    witness = Witness{};
    witness.folder = folder;
    witness.padding = padding;
    witness.disk = &platform.disk();
    group.reset();
    shared_ = std::make_shared<RaftSurroundings>(platform, log, options_);
    group = std::make_unique<RaftGroup>(shared_, group_id, executor, witness);
    group->start(applied);
  }
  bool start_and_lead(runtime::LogIndex applied = 0) {
    start(applied);
    return pump.run_while_not([this] { return witness.leading != 0; });
  }
  void stop() { group.reset(); }
  void crash() {
    group.reset();
    log.power_cut();
  }
  runtime::LogIndex propose(const std::string& payload) {
    const auto index = group->propose(bytes(payload));
    return index ? *index : 0;
  }
  bool commit(const std::string& payload) {
    const runtime::LogIndex index = propose(payload);
    return index != 0 && pump.run_while_not([&] {
      return !witness.committed.empty() && witness.committed.back().index >= index;
    });
  }
  // "e0", "e1", ...
  void commit_many(int n) {
    for (int i = 0; i < n; ++i) REQUIRE(propose("e" + std::to_string(i)) != 0);
    const auto last = group->status().last;
    REQUIRE(pump.run_while_not([&] { return witness.committed.back().index >= last; }));
  }
  RaftOptions& options() { return options_; }
  FakeLog::Content& stored() { return log.content(group_id); }

  Pump& pump;
  FakePlatform platform;
  FakeLog log;
  PumpExecutor executor;
  Witness witness;
  std::unique_ptr<RaftGroup> group;

 private:
  RaftOptions options_;
  std::shared_ptr<RaftSurroundings> shared_;
};

}  // namespace troupe::cluster::test
