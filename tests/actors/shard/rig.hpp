// Drives one Shard by hand: every closure, disk job and commit happens when the test says so, on
// one thread and a clock of the test's. The shard file is a real one, in a temporary folder.
#pragma once

#include <algorithm>
#include <deque>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "actors/shard/shard.hpp"
#include "runtime/platform/os/os_disk.hpp"
#include "tests/actors/shard/counter.hpp"
#include "tests/manual_platform.hpp"

namespace troupe::actors::testing {

inline constexpr auto ms = [](int n) { return std::chrono::milliseconds{n}; };

using troupe::tests::ManualClock;
using troupe::tests::QuietLog;

class CountingRandom final : public runtime::Random {
 public:
  std::uint64_t next() override { return ++count_; }

 private:
  std::uint64_t count_ = 0;
};

// Jobs wait until the test runs them.
class ManualExecutor final : public Executor {
 public:
  explicit ManualExecutor(ManualClock& clock) : clock_(clock) {}
  void post(std::function<void()> job) override { jobs.push_back(std::move(job)); }
  void post_after(Duration delay, std::function<void()> job) override {
    timers.emplace(clock_.now() + std::chrono::duration_cast<MonotonicTime::duration>(delay),
                   std::move(job));
  }
  bool run_one() {
    if (jobs.empty()) return false;
    auto job = std::move(jobs.front());
    jobs.pop_front();
    job();
    return true;
  }
  std::deque<std::function<void()>> jobs;
  std::multimap<MonotonicTime, std::function<void()>> timers;

 private:
  ManualClock& clock_;
};

class ManualQueue final : public runtime::WorkQueue {
 public:
  ~ManualQueue() override {
    while (run_one()) {
    }
  }
  void post(std::function<void()> job) override { jobs.push_back(std::move(job)); }
  bool run_one() {
    if (jobs.empty()) return false;
    auto job = std::move(jobs.front());
    jobs.pop_front();
    job();
    return true;
  }
  std::deque<std::function<void()>> jobs;
};

class ManualPlatform final : public runtime::Platform {
 public:
  ManualClock& clock() override { return clock_; }
  runtime::Random& random() override { return random_; }
  runtime::Disk& disk() override { return *disk_; }
  runtime::Network& network() override { std::abort(); }
  runtime::Workers& workers() override { std::abort(); }
  QuietLog& log() override { return log_; }
  runtime::Metrics& metrics() override { return *metrics_; }
  void configure(caf::actor_system_config&) override {}
  void fail_stop(const Error& why) override { stopped = why; }

  std::optional<Error> stopped;

 private:
  ManualClock clock_;
  CountingRandom random_;
  std::unique_ptr<runtime::Disk> disk_ = runtime::make_os_disk();
  QuietLog log_;
  std::unique_ptr<runtime::Metrics> metrics_ = runtime::Metrics::make();
};

// A group whose entries commit when the test says so. Entries live as long as the ManualGroupLog.
struct ManualGroupLog {
  std::vector<runtime::SharedBytes> entries;  // index 1 first
  std::size_t committed = 0;
  bool full_at_start = false;  // a full disk keeps the group from leading
};

class ManualConsensus final : public Consensus {
 public:
  ManualConsensus(ManualGroupLog& log, ConsensusObserver& observer)
      : log_(log), observer_(observer) {}

  void start(runtime::LogIndex applied) override {
    applied_ = applied;
    for (std::size_t i = applied; i < log_.entries.size(); ++i)
      observer_.on_committed(i + 1, 1, log_.entries[i]);
    log_.committed = log_.entries.size();
    if (log_.full_at_start)
      return observer_.on_not_leading(resource_exhausted("DISK_FULL", "no space"));
    log_.entries.push_back(nullptr);  // a barrier, as after an election
    commit(1);
    leading = true;
    observer_.on_leading(1);
  }
  Result<runtime::LogIndex> propose(runtime::SharedBytes payload) override {
    if (!leading) return unavailable("NOT_LEADING", "as the test wants it");
    log_.entries.push_back(std::move(payload));
    return log_.entries.size();
  }
  void confirm_leadership(std::function<void(const Result<void>&)> confirmed) override {
    confirmations.push_back(std::move(confirmed));
  }
  bool sole_voter() const override { return sole; }
  bool settled() const override { return in_place; }
  void hold_members(bool hold) override { held = hold; }
  void did_part(runtime::LogIndex index) override { part_done = index; }
  bool awaits_part(runtime::LogIndex, const std::vector<std::uint64_t>& replicas) const override {
    return std::ranges::find(replicas, awaited) != replicas.end();
  }
  std::vector<Voter> voters() const override { return {{7, "n2"}, {1, "n1"}, {9, "n3"}}; }
  void hand_over(std::function<void(bool)> done) override { handed_over = std::move(done); }
  void recover(const RecoveryOrder&, std::function<void(const Result<void>&)> done) override {
    recovered = std::move(done);
  }
  std::optional<MonotonicTime> note_applied(runtime::LogIndex) override { return fresh; }
  void checkpointed(runtime::LogIndex index, runtime::Term, std::uint64_t) override {
    checkpoint = index;
  }
  Status status() const override {
    return {"leader", 1, log_.committed, log_.entries.size(), 0, replica};
  }

  void commit(std::size_t count) {
    while (count-- > 0 && log_.committed < log_.entries.size()) {
      const std::size_t i = log_.committed++;
      observer_.on_committed(i + 1, 1, log_.entries[i]);
    }
  }
  // The entries that are not committed are gone, as after a failed append.
  void lose(const Error& why) {
    leading = false;
    log_.entries.resize(log_.committed);
    observer_.on_not_leading(why);
  }
  void lead_again() {
    log_.entries.push_back(nullptr);
    commit(1);
    leading = true;
    observer_.on_leading(2);
  }
  std::size_t uncommitted() const { return log_.entries.size() - log_.committed; }
  std::function<void(bool)> handed_over;  // since the shard asked for it
  std::function<void(const Result<void>&)> recovered;

  bool leading = false;
  bool sole = true;
  bool in_place = true;
  bool held = false;
  std::uint64_t replica = 1;
  std::uint64_t awaited = 0;  // a replica that has not done its part
  runtime::LogIndex part_done = 0;
  std::optional<MonotonicTime> fresh;
  runtime::LogIndex checkpoint = 0;
  std::vector<std::function<void(const Result<void>&)>> confirmations;

  ConsensusObserver& observer() { return observer_; }

 private:
  ManualGroupLog& log_;
  ConsensusObserver& observer_;
  runtime::LogIndex applied_ = 0;
};

// Only what the shard asks of the node log.
class ManualLog final : public runtime::NodeLog {
 public:
  void append(Append) override { std::abort(); }
  std::optional<runtime::GroupRecord> record(runtime::GroupId) const override { return kept; }
  runtime::LogIndex first_index(runtime::GroupId) const override { return 0; }
  runtime::LogIndex last_index(runtime::GroupId) const override { return 0; }
  std::vector<runtime::GroupId> groups() const override { return {}; }
  Result<std::vector<runtime::LogEntry>> read(runtime::GroupId, runtime::LogIndex,
                                              runtime::LogIndex) override {
    std::abort();
  }
  std::vector<runtime::GroupId> laggards(std::size_t) const override { return {}; }
  Stats stats() const override { return {}; }

  std::optional<runtime::GroupRecord> kept;
};

struct Answer {
  std::optional<Result<Reply>> result;  // nullopt: none yet
  bool came() const { return result.has_value(); }
  std::string text() const {
    return !came() ? "(none)" : *result ? (*result)->payload : result->error().reason;
  }
  bool repeated() const { return came() && *result && (**result).repeated; }
};

class Rig {
 public:
  explicit Rig(ShardOptions options = {});
  ~Rig();

  // What a shard is made of.
  ShardSpec spec() const;
  ShardSurroundings surroundings();

  // Builds the shard and runs it up to serving.
  void start();
  // Drops the shard as a crash of its actor would.
  void crash();

  // Sends a call; the answer appears in the returned object.
  std::shared_ptr<Answer> send(CounterMethod method, const std::string& key,
                               const std::string& payload, std::optional<MessageId> id = {},
                               bool stale = false, MonotonicTime deadline = MonotonicTime::max());
  MessageId fresh_id() { return MessageId::make(platform.clock().wall(), platform.random()); }

  // As a caller makes it whose clock is ahead of the shard's.
  MessageId id_ahead(std::chrono::milliseconds by) {
    return MessageId::make(platform.clock().wall() + by, platform.random());
  }

  // Runs closures and disk jobs until none is left. Commits nothing.
  void pump();
  void pump_closures();  // without disk jobs
  // Commits everything proposed, and pumps, until nothing happens any more.
  void settle();
  // settle(), then moves the clock and runs the timers that fall due.
  void pass(Duration time);

  ManualPlatform platform;
  ManualGroupLog group_log;
  ManualLog log;
  std::filesystem::path folder;
  ShardOptions options;
  std::shared_ptr<ManualExecutor> executor;
  std::shared_ptr<ManualQueue> queue;
  std::shared_ptr<ShardVitals> vitals = std::make_shared<ShardVitals>();
  ManualConsensus* consensus = nullptr;
  std::optional<Error> failed;
  OnBehalfOf on_behalf_of;                  // of the requests that follow
  std::optional<std::uint64_t> if_version;  // of the requests that follow
  runtime::Bucket bucket = 7;               // of the requests that follow
  std::shared_ptr<ShardSplits> splits;      // of shards that are started
  std::unique_ptr<Shard> shard;
};

}  // namespace troupe::actors::testing
