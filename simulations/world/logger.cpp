#include "simulations/world/logger.hpp"

#include <ostream>

#include "runtime/telemetry/log_format.hpp"
#include "simulations/world/clock.hpp"

namespace troupe::simulations {

void SimLogger::write(runtime::LogLevel level, std::string_view event, std::string message,
                      std::vector<runtime::LogField> fields, std::string trace) {
  if (!enabled(level) || life_->over()) return;
  const auto time = life_->loop.now();
  const runtime::LogRecord record{
      .time = world_begin + std::chrono::duration_cast<std::chrono::milliseconds>(time),
      .level = level,
      .node = life_->node_name(),
      .event = event,
      .message = std::move(message),
      .fields = std::move(fields),
      .trace = std::move(trace)};
  book_.lines.push_back(
      {time, life_->node_name(), level, std::string{event}, runtime::format_text(record, false)});
}

std::ostream& operator<<(std::ostream& out, const LogBook& book) {
  for (const auto& line : book.lines) out << line.text << '\n';
  return out;
}

}  // namespace troupe::simulations
