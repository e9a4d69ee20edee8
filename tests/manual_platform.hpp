// Parts of a platform that a test moves by hand.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/platform/platform.hpp"

namespace troupe::tests {

class ManualClock final : public runtime::Clock {
 public:
  MonotonicTime now() const override { return now_; }
  WallTime wall() const override { return wall_; }
  void advance(Duration by) {
    now_ += std::chrono::duration_cast<MonotonicTime::duration>(by);
    wall_ += std::chrono::duration_cast<std::chrono::milliseconds>(by);
  }

 private:
  MonotonicTime now_{std::chrono::hours{1}};
  WallTime wall_{std::chrono::hours{24 * 365 * 50}};
};

class QuietLog final : public runtime::Logger {
 public:
  bool enabled(runtime::LogLevel) const override { return true; }
  void write(runtime::LogLevel, std::string_view event, std::string, std::vector<runtime::LogField>,
             std::string) override {
    events.emplace_back(event);
  }
  std::vector<std::string> events;
};

}  // namespace troupe::tests
