// What storage tests stand on: a platform of real files and threads whose disk can fail, and ways
// to take a copy of a folder as a crash would leave it and to let single bytes rot.
#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "runtime/platform/os/os_clock.hpp"
#include "runtime/platform/os/os_random.hpp"
#include "runtime/platform/os/os_workers.hpp"
#include "runtime/platform/platform.hpp"
#include "tests/runtime/platform/event.hpp"
#include "tests/runtime/platform/temporary_folder.hpp"
#include "tests/runtime/storage/fault_disk.hpp"

namespace troupe::tests {

class RigLogger final : public runtime::Logger {
 public:
  bool enabled(runtime::LogLevel) const override { return true; }
  void write(runtime::LogLevel, std::string_view event, std::string, std::vector<runtime::LogField>,
             std::string) override {
    const std::lock_guard lock{mutex_};
    events_.emplace_back(event);
  }
  bool heard(const std::string& event) const {
    const std::lock_guard lock{mutex_};
    return std::find(events_.begin(), events_.end(), event) != events_.end();
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> events_;
};

class RigPlatform final : public runtime::Platform {
 public:
  RigPlatform();
  ~RigPlatform() override;
  runtime::Clock& clock() override { return clock_; }
  runtime::Random& random() override { return random_; }
  FaultDisk& disk() override { return disk_; }
  runtime::Network& network() override;
  runtime::Workers& workers() override { return *workers_; }
  RigLogger& log() override { return log_; }
  runtime::Metrics& metrics() override { return *metrics_; }
  void configure(caf::actor_system_config&) override {}
  void fail_stop(const Error& why) override { stopped.set(why); }

  DiskFaults& faults() { return disk_.faults(); }
  Event<Error> stopped;

 private:
  runtime::OsClock clock_;
  runtime::OsRandom random_;
  RigLogger log_;
  std::unique_ptr<runtime::Metrics> metrics_;
  FaultDisk disk_;
  std::unique_ptr<runtime::Workers> workers_;
};

// Copies a folder that is in use: the files as they are now, which is what a killed process leaves.
void copy_folder(const std::string& from, const std::string& to);

std::string read_file(const std::string& path);
void write_file(const std::string& path, const std::string& bytes);

// Inverts one byte.
void rot(const std::string& path, std::uint64_t offset);

}  // namespace troupe::tests
