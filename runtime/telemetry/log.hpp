// Structured logs: an event name, a message for people, and fields. Text on a terminal, one JSON
// object per line otherwise. Logs go to standard error; any thread may log.
//
//   log.warn("shard.restarted", "a shard was restarted", {{"shard", name}, {"restarts", n}});
//
// The sink is the platform's: the simulator gathers lines per node with virtual times. Nothing
// secret and no payload is ever logged.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "runtime/time.hpp"

namespace troupe::runtime {

enum class LogLevel : std::uint8_t { debug, info, warn, error };

class LogValue {
 public:
  LogValue(std::string_view text) : text_(text), quoted_(true) {}    // NOLINT
  LogValue(const std::string& text) : text_(text), quoted_(true) {}  // NOLINT
  LogValue(const char* text) : text_(text), quoted_(true) {}         // NOLINT
  LogValue(bool value) : text_(value ? "true" : "false") {}          // NOLINT
  template <class Number, class = std::enable_if_t<std::is_arithmetic_v<Number>>>
  LogValue(Number value) : text_(std::to_string(value)) {}  // NOLINT
  const std::string& text() const { return text_; }
  bool quoted() const { return quoted_; }

 private:
  std::string text_;
  bool quoted_ = false;
};

struct LogField {
  std::string_view name;
  LogValue value;
};

struct LogRecord {
  WallTime time;
  LogLevel level = LogLevel::info;
  std::string node;        // empty before a node has its name
  std::string_view event;  // "shard.restarted": stable, for programs
  std::string message;     // for people
  std::vector<LogField> fields;
  std::string trace;  // W3C trace id, empty: none
};

// One per node. Owned by whoever made the node's platform; outlives the node.
class Logger {
 public:
  virtual ~Logger() = default;
  virtual bool enabled(LogLevel level) const = 0;
  virtual void write(LogLevel level, std::string_view event, std::string message,
                     std::vector<LogField> fields = {}, std::string trace = {}) = 0;

  void debug(std::string_view event, std::string message, std::vector<LogField> fields = {}) {
    if (enabled(LogLevel::debug))
      write(LogLevel::debug, event, std::move(message), std::move(fields));
  }
  void info(std::string_view event, std::string message, std::vector<LogField> fields = {}) {
    if (enabled(LogLevel::info))
      write(LogLevel::info, event, std::move(message), std::move(fields));
  }
  void warn(std::string_view event, std::string message, std::vector<LogField> fields = {}) {
    if (enabled(LogLevel::warn))
      write(LogLevel::warn, event, std::move(message), std::move(fields));
  }
  void error(std::string_view event, std::string message, std::vector<LogField> fields = {}) {
    write(LogLevel::error, event, std::move(message), std::move(fields));
  }
};

}  // namespace troupe::runtime
