// One log record as one line, without its line end: for people or for programs. Pure functions, so
// that every platform writes the same lines.
#pragma once

#include <string>
#include <string_view>

#include "runtime/telemetry/log.hpp"

namespace troupe::runtime {

// "debug", "info", "warn", "error"
std::string_view to_string(LogLevel level);

// RFC 3339 in UTC, with milliseconds: "2024-05-01T12:00:00.123Z"
std::string to_string(WallTime time);

// 2024-05-01T12:00:00.123Z WARN  node-1 shard.restarted: a shard was restarted shard=a restarts=3
//
// A value is quoted where it would not be read back as it was. Control characters, also those of
// terminals, and bytes that are not UTF-8 are written as escapes, so that one record stays one line
// and nobody's input moves the cursor. `colour` sets the level off with ANSI escapes.
std::string format_text(const LogRecord& record, bool colour);

// {"time":"...","level":"warn","node":"node-1","event":"shard.restarted","message":"...",
//  "fields":{"shard":"a","restarts":3},"trace":"..."}
//
// RFC 8259. Empty `node`, `fields` and `trace` are left out; bytes that are not UTF-8 become
// U+FFFD; numbers that JSON has no form for (nan, inf) become strings.
std::string format_json(const LogRecord& record);

}  // namespace troupe::runtime
