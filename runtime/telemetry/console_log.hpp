// The log of a process: records at or above a level, one line each, to a stream such as standard
// error. A line goes out whole, under a mutex, before write() returns; what cannot be written is
// dropped, because a node does not stop for its log.
#pragma once

#include <cstdio>
#include <memory>
#include <string>

#include "runtime/platform/clock.hpp"
#include "runtime/telemetry/log.hpp"

namespace troupe::runtime {

enum class LogForm : std::uint8_t { text, coloured_text, json };

struct ConsoleLogOptions {
  std::string node;
  LogForm form = LogForm::json;
  LogLevel level = LogLevel::info;  // what is below is not written
};

// `clock` and `stream` outlive the logger; `stream` is not closed.
std::unique_ptr<Logger> make_console_log(ConsoleLogOptions options, const Clock& clock,
                                         std::FILE* stream);

}  // namespace troupe::runtime
