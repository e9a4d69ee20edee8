// Raft groups on the node log itself, with its threads, in a folder of the real disk.
#include <doctest/doctest.h>

#include <condition_variable>
#include <cstdio>
#include <filesystem>
#include <mutex>

#include "runtime/platform/os/os_platform.hpp"
#include "tests/cluster/replication/world.hpp"

using namespace troupe;
using namespace troupe::cluster;
using namespace troupe::cluster::test;
using namespace std::chrono_literals;
using Texts = std::vector<std::string>;

namespace {

// An actor's mailbox, emptied by the test's thread.
class Mailbox final : public actors::Executor {
 public:
  using Time = std::chrono::steady_clock::time_point;

  void post(std::function<void()> job) override { add(Time{}, std::move(job)); }
  void post_after(Duration delay, std::function<void()> job) override {
    add(std::chrono::steady_clock::now() + delay, std::move(job));
  }
  bool run_while_not(const std::function<bool()>& condition) {
    const auto end = std::chrono::steady_clock::now() + 30s;
    while (!condition()) {
      std::unique_lock lock(mutex_);
      const auto due = jobs_.empty() ? end : std::min(end, jobs_.begin()->first);
      if (arrived_.wait_until(lock, due,
                              [&] { return !jobs_.empty() && jobs_.begin()->first < due; }))
        continue;
      if (due == end) return false;
      auto job = std::move(jobs_.begin()->second);
      jobs_.erase(jobs_.begin());
      lock.unlock();
      job();
    }
    return true;
  }

 private:
  void add(Time time, std::function<void()> job) {
    const std::lock_guard lock(mutex_);
    jobs_.emplace(time, std::move(job));
    arrived_.notify_one();
  }
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::multimap<Time, std::function<void()>> jobs_;
};

class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "troupe-raft-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

// One life of a process: a log, and groups of one voter on it.
struct Life {
  explicit Life(const Folder& folder, std::size_t groups_count, RaftOptions options = {})
      : platform(runtime::make_os_platform({.log_level = runtime::LogLevel::error})) {
    auto opened = runtime::NodeLog::open(*platform, folder.path(), {.reserve_bytes = 1 << 20});
    REQUIRE_MESSAGE(opened, opened.error().describe());
    log = *std::move(opened);
    options.node = "n1";
    const auto factory = make_raft_factory(*platform, *log, options);
    witnesses.resize(groups_count);
    for (std::size_t i = 0; i < groups_count; ++i)
      groups.push_back(factory(i + 1, mailbox, witnesses[i]));
  }
  bool lead(runtime::LogIndex applied = 0) {
    for (auto& group : groups) group->start(applied);
    return mailbox.run_while_not([this] {
      return std::all_of(witnesses.begin(), witnesses.end(),
                         [](const Witness& witness) { return witness.leading != 0; });
    });
  }
  bool all_committed(std::size_t proposals) {
    return mailbox.run_while_not([&] {
      return std::all_of(witnesses.begin(), witnesses.end(), [&](const Witness& witness) {
        return witness.payloads().size() == proposals;
      });
    });
  }

  std::unique_ptr<runtime::Platform> platform;
  std::unique_ptr<runtime::NodeLog> log;
  Mailbox mailbox;
  std::vector<Witness> witnesses;
  std::vector<std::unique_ptr<actors::Consensus>> groups;
};

}  // namespace

TEST_SUITE_BEGIN("raft group on the node log");

TEST_CASE("groups lead, commit, and find everything again") {
  const Folder folder;
  {
    Life life(folder, 3);
    REQUIRE(life.lead());
    for (int i = 0; i < 200; ++i) {
      for (std::size_t group = 0; group < 3; ++group)
        REQUIRE(
            life.groups[group]->propose(bytes(std::to_string(group) + "." + std::to_string(i))));
    }
    REQUIRE(life.all_committed(200));
    CHECK(life.log->stats().commits < 600);
  }
  Life life(folder, 3);
  REQUIRE(life.lead());
  for (std::size_t group = 0; group < 3; ++group) {
    const auto payloads = life.witnesses[group].payloads();
    REQUIRE(payloads.size() == 200);
    CHECK(payloads.front() == std::to_string(group) + ".0");
    CHECK(payloads.back() == std::to_string(group) + ".199");
    CHECK(life.witnesses[group].leading == 3);
    CHECK(life.witnesses[group].committed[1].payload == "-");
    REQUIRE(life.groups[group]->propose(bytes("new")));
  }
  REQUIRE(life.all_committed(201));
}

TEST_CASE("a process that ends with appends under way keeps a prefix of them") {
  const Folder folder;
  std::vector<std::string> proposed;
  {
    Life life(folder, 1);
    REQUIRE(life.lead());
    for (int i = 0; i < 500; ++i) {
      proposed.push_back(std::to_string(i));
      REQUIRE(life.groups[0]->propose(bytes(proposed.back())));
    }
    life.groups.clear();  // the actor dies first
  }
  Life life(folder, 1);
  REQUIRE(life.lead());
  const auto found = life.witnesses[0].payloads();
  REQUIRE(found.size() <= proposed.size());
  CHECK(std::equal(found.begin(), found.end(), proposed.begin()));
}

TEST_CASE("the log is cut behind a checkpoint and the group starts from there") {
  const Folder folder;
  {
    Life life(folder, 1, {.snapshot_threshold = 10});
    REQUIRE(life.lead());
    for (int i = 0; i < 100; ++i) REQUIRE(life.groups[0]->propose(bytes(std::to_string(i))));
    REQUIRE(life.all_committed(100));
    life.groups[0]->checkpointed(52, 2, 1);
    REQUIRE(life.groups[0]->propose(bytes("after")));
    REQUIRE(life.all_committed(101));
    CHECK(life.log->first_index(1) == 53);
    CHECK(life.log->record(1)->snapshot_index == 52);
  }
  {
    Life life(folder, 1);
    REQUIRE(life.lead(52));
    CHECK(life.witnesses[0].payloads().size() == 51);
    CHECK(life.witnesses[0].payloads().front() == "50");
    CHECK(life.groups[0]->status().snapshot == 52);
  }
  Life life(folder, 1);
  life.groups[0]->start(10);
  REQUIRE(life.mailbox.run_while_not([&] { return !life.witnesses[0].failed.empty(); }));
  CHECK(life.witnesses[0].failed[0].reason == "SHARD_BEHIND_LOG");
}

TEST_CASE("a group is started again in the same process while its appends are under way") {
  const Folder folder;
  Life life(folder, 1);
  REQUIRE(life.lead());
  const auto factory = make_raft_factory(*life.platform, *life.log, {.node = "n1"});
  std::size_t known = 0;
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 20; ++i) REQUIRE(life.groups[0]->propose(bytes("x")));
    life.groups[0].reset();
    life.witnesses[0] = Witness{};
    life.groups[0] = factory(1, life.mailbox, life.witnesses[0]);
    REQUIRE(life.lead());
    CHECK(life.witnesses[0].failed.empty());
    const auto found = life.witnesses[0].payloads().size();
    CHECK(found >= known);
    known = found;
  }
}

TEST_CASE("durable proposals on this disk") {
  constexpr int proposals = 20'000;
  constexpr std::size_t groups = 4;
  const auto payload = bytes(std::string(256, 'x'));
  for (const std::uint64_t together : {16, 256}) {
    const Folder folder;
    Life life(folder, groups);
    REQUIRE(life.lead());
    const auto begin = std::chrono::steady_clock::now();
    std::vector<std::uint64_t> proposed(groups, 0);
    const auto propose_more = [&] {
      bool finished = true;
      for (std::size_t group = 0; group < groups; ++group) {
        const auto committed = life.witnesses[group].committed.size() - 2;
        while (proposed[group] < proposals / groups && proposed[group] - committed < together) {
          REQUIRE(life.groups[group]->propose(payload));
          ++proposed[group];
        }
        finished = finished && committed == proposals / groups;
      }
      return finished;
    };
    REQUIRE(life.mailbox.run_while_not(propose_more));
    const std::chrono::duration<double> time = std::chrono::steady_clock::now() - begin;
    std::printf("raft groups on the node log: 4 groups, %d in flight: %.0f a second\n",
                static_cast<int>(together * groups), proposals / time.count());
  }
}

TEST_SUITE_END();
