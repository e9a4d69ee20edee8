// A node log in a temporary folder, and short words for what tests do with it.
#pragma once

#include <filesystem>
#include <thread>

#include "runtime/storage/log_format.hpp"
#include "runtime/storage/node_log.hpp"
#include "tests/runtime/storage/rig.hpp"

namespace troupe::tests {

// Holds the writer inside a callback until it is opened.
struct Gate {
  Event<> arrived;
  Event<> open;
  void pass() {
    arrived.set();
    open.wait();
  }
};

class LogRig {
 public:
  LogRig() { options.reserve_bytes = 64 << 10; }

  runtime::NodeLog::Options options;

  RigPlatform& platform() { return platform_; }
  runtime::NodeLog& log() { return *log_; }
  const std::string& folder() const { return folder_; }
  std::string file(std::uint64_t segment) const {
    return folder_ + "/" + runtime::segment_name(segment);
  }
  std::string wal(std::uint64_t segment) const { return file(segment) + "-wal"; }
  bool has(std::uint64_t segment) const { return std::filesystem::exists(file(segment)); }

  Result<void> try_open() {
    auto opened = runtime::NodeLog::open(platform_, folder_, options);
    if (!opened) return std::move(opened).error();
    log_ = *std::move(opened);
    return {};
  }
  void open() {
    const auto opened = try_open();
    REQUIRE_MESSAGE(opened, (opened ? "" : opened.error().describe()));
  }
  void close() { log_.reset(); }
  void reopen() {
    close();
    open();
  }
  // Until the cleaner has removed a segment.
  void wait_until_removed(std::uint64_t segment) {
    while ((has(segment) || std::filesystem::exists(wal(segment))) && !platform_.stopped.is_set())
      std::this_thread::yield();
    REQUIRE_FALSE(platform_.stopped.is_set());
  }
  // The log of a process that was killed now: a copy of its files. What the old process does
  // afterwards is not seen.
  void crash() {
    const auto next = scratch_ / ("life-" + std::to_string(++life_));
    copy_folder(folder_, next);
    close();
    folder_ = next;
  }
  // Closes and says why the log cannot be opened.
  Error refusal() {
    const auto opened = try_open();
    REQUIRE_FALSE(opened);
    return opened.error();
  }

  static std::string payload(runtime::GroupId group, runtime::LogIndex index,
                             const std::string& text) {
    return std::to_string(group) + "/" + std::to_string(index) + " " + text;
  }
  static runtime::NodeLog::Append make(runtime::GroupId group, runtime::LogIndex from,
                                       runtime::LogIndex to, const std::string& text = "text") {
    runtime::NodeLog::Append append;
    append.group = group;
    for (auto i = from; i <= to; ++i)
      append.entries.push_back(
          {i, 1, 1, std::make_shared<const std::string>(payload(group, i, text))});
    return append;
  }
  // Appends and waits.
  Result<void> append(runtime::NodeLog::Append append) {
    Event<Result<void>> done;
    append.done = [&](const Result<void>& result) { done.set(result); };
    log_->append(std::move(append));
    return done.wait();
  }
  void put(runtime::GroupId group, runtime::LogIndex from, runtime::LogIndex to,
           const std::string& text = "text") {
    const auto done = append(make(group, from, to, text));
    REQUIRE_MESSAGE(done, (done ? "" : done.error().describe()));
  }
  void record(runtime::GroupId group, runtime::GroupRecord record) {
    const auto done = append({.group = group, .record = std::move(record)});
    REQUIRE_MESSAGE(done, (done ? "" : done.error().describe()));
  }
  // Entries up to there are in the group's shard file.
  void snapshot(runtime::GroupId group, runtime::LogIndex index) {
    record(group, {.term = 1, .snapshot_index = index, .snapshot_term = 1});
  }
  // Leaves the writer in the callback of an append of group 1000.
  void hold_writer(Gate& gate) {
    auto append = make(1000, log_->last_index(1000) + 1, log_->last_index(1000) + 1);
    append.done = [&gate](const Result<void>&) { gate.pass(); };
    log_->append(std::move(append));
    gate.arrived.wait();
  }

  // Payloads of all the entries of a group.
  std::vector<std::string> entries(runtime::GroupId group) {
    const auto read = log_->read(group, log_->first_index(group), log_->last_index(group));
    REQUIRE_MESSAGE(read, (read ? "" : read.error().describe()));
    std::vector<std::string> texts;
    for (const auto& entry : *read) texts.push_back(*entry.payload);
    return texts;
  }
  static std::vector<std::string> expected(runtime::GroupId group, runtime::LogIndex from,
                                           runtime::LogIndex to, const std::string& text = "text") {
    std::vector<std::string> texts;
    for (auto i = from; i <= to; ++i) texts.push_back(payload(group, i, text));
    return texts;
  }

 private:
  TemporaryFolder scratch_;
  RigPlatform platform_;
  int life_ = 0;
  std::string folder_ = scratch_ / "log";
  std::unique_ptr<runtime::NodeLog> log_;
};

}  // namespace troupe::tests
