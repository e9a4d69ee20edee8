// As much of a platform as a supervisor needs: the virtual clock of CAF's test coordinator, random
// numbers given by the test, a log and counters that can be read. The rest aborts.
#pragma once

#include <caf/scheduler/test_coordinator.hpp>
#include <cstdlib>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "runtime/platform/platform.hpp"

namespace troupe::actors::supervision_test {

class FakePlatform final : public runtime::Platform,
                           runtime::Clock,
                           runtime::Random,
                           runtime::Logger,
                           runtime::Metrics {
 public:
  struct Line {
    runtime::LogLevel level;
    std::string event;
    std::map<std::string, std::string> fields;
  };
  struct FakeCounter final : runtime::Counter {
    void add(double amount) override { sum += amount; }
    double value() const override { return sum; }
    double sum = 0;
  };

  caf::scheduler::test_coordinator* coordinator = nullptr;  // null: real time
  std::uint64_t next_random = 0;  // what the source of random numbers gives, again and again
  bool failing_log = false;       // writing to the log throws
  std::vector<Line> lines;
  std::map<std::string, FakeCounter> counters;  // by the value of the label `child`

  runtime::Clock& clock() override { return *this; }
  runtime::Random& random() override { return *this; }
  runtime::Disk& disk() override { std::abort(); }
  runtime::Network& network() override { std::abort(); }
  runtime::Workers& workers() override { std::abort(); }
  runtime::Logger& log() override { return *this; }
  runtime::Metrics& metrics() override { return *this; }
  void configure(caf::actor_system_config&) override { std::abort(); }
  void fail_stop(const Error&) override { std::abort(); }

 private:
  MonotonicTime now() const override {
    return coordinator ? coordinator->clock().now() : std::chrono::steady_clock::now();
  }
  WallTime wall() const override { std::abort(); }

  std::uint64_t next() override { return next_random; }

  bool enabled(runtime::LogLevel) const override { return true; }
  void write(runtime::LogLevel level, std::string_view event, std::string,
             std::vector<runtime::LogField> fields, std::string) override {
    if (failing_log) throw std::runtime_error("no log today");
    Line line{level, std::string{event}, {}};
    for (const auto& field : fields) line.fields[std::string{field.name}] = field.value.text();
    lines.push_back(std::move(line));
  }

  runtime::Counter& counter(const std::string& name, const std::string&,
                            const Labels& labels) override {
    if (name != "troupe_restarts_total") std::abort();
    return counters[labels.at("child")];
  }
  runtime::Gauge& gauge(const std::string&, const std::string&, const Labels&) override {
    std::abort();
  }
  runtime::Histogram& histogram(const std::string&, const std::string&, const Labels&,
                                const std::vector<double>&) override {
    std::abort();
  }
  std::string text() const override { std::abort(); }
};

}  // namespace troupe::actors::supervision_test
