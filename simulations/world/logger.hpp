// What the nodes of a world log, with virtual times, in the order in which it happened.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "runtime/telemetry/log.hpp"
#include "simulations/world/life.hpp"

namespace troupe::simulations {

struct LogLine {
  Duration time{};  // since the world began
  std::string node;
  runtime::LogLevel level = runtime::LogLevel::info;
  std::string event;
  std::string text;  // the whole line as format_text() writes it, with the world's wall time
};

// Shared by all nodes of a world. Logs are not part of the trace hash, so a replay may log more.
struct LogBook {
  runtime::LogLevel level = runtime::LogLevel::info;  // the lowest that is kept
  std::vector<LogLine> lines;
};

// One line each.
std::ostream& operator<<(std::ostream& out, const LogBook& book);

class SimLogger final : public runtime::Logger {
 public:
  SimLogger(std::shared_ptr<Life> life, LogBook& book) : life_(std::move(life)), book_(book) {}

  bool enabled(runtime::LogLevel level) const override { return level >= book_.level; }
  void write(runtime::LogLevel level, std::string_view event, std::string message,
             std::vector<runtime::LogField> fields, std::string trace) override;

 private:
  std::shared_ptr<Life> life_;
  LogBook& book_;
};

}  // namespace troupe::simulations
