#include "runtime/telemetry/console_log.hpp"

#include <spdlog/details/console_globals.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

#include "runtime/telemetry/log_format.hpp"

namespace troupe::runtime {
namespace {

// spdlog's own stderr sinks choose the stream themselves; this one is told.
class StreamSink final : public spdlog::sinks::stdout_sink_base<spdlog::details::console_mutex> {
 public:
  explicit StreamSink(std::FILE* stream) : stdout_sink_base(stream) {}
};

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warn:
      return spdlog::level::warn;
    case LogLevel::error:
      break;
  }
  return spdlog::level::err;
}

class ConsoleLog final : public Logger {
 public:
  ConsoleLog(ConsoleLogOptions options, const Clock& clock, std::FILE* stream)
      : options_(std::move(options)),
        clock_(clock),
        log_(options_.node, std::make_shared<StreamSink>(stream)) {
    log_.set_pattern("%v");  // the line is ready made
    log_.set_level(spdlog_level(options_.level));
  }

  bool enabled(LogLevel level) const override { return log_.should_log(spdlog_level(level)); }

  void write(LogLevel level, std::string_view event, std::string message,
             std::vector<LogField> fields, std::string trace) override {
    if (!enabled(level)) return;
    const LogRecord record{
        clock_.wall(),     level,           options_.node, event, std::move(message),
        std::move(fields), std::move(trace)};
    const auto line = options_.form == LogForm::json
                          ? format_json(record)
                          : format_text(record, options_.form == LogForm::coloured_text);
    log_.log(spdlog_level(level), spdlog::string_view_t{line.data(), line.size()});
  }

 private:
  const ConsoleLogOptions options_;
  const Clock& clock_;
  spdlog::logger log_;
};

}  // namespace

std::unique_ptr<Logger> make_console_log(ConsoleLogOptions options, const Clock& clock,
                                         std::FILE* stream) {
  return std::make_unique<ConsoleLog>(std::move(options), clock, stream);
}

}  // namespace troupe::runtime
