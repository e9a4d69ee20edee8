// Trace context as W3C's recommendation "Trace Context" (level 1) defines it, in "Traceparent
// Header" and "Versioning of traceparent": the header names the trace that a request belongs to and
// the span that caused it.
//
// A header that is not valid is to be ignored and a new trace begun, so parsing has no error to
// tell. Of the flags, level 1 knows `sampled`; the others are not passed on, as it demands.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/platform/random.hpp"

namespace troupe::runtime {

struct TraceContext {
  std::uint64_t trace_high = 0;  // the trace id's 16 bytes, big-endian; never all zero
  std::uint64_t trace_low = 0;
  std::uint64_t span = 0;  // of the caller in what is received; never zero
  bool sampled = false;

  // Accepts every version but ff; of versions above 00 it reads what 00 defines.
  static std::optional<TraceContext> parse(std::string_view traceparent);

  // Begins a trace.
  static TraceContext make(Random& random, bool sampled);

  // A new span in the same trace.
  TraceContext child(Random& random) const;

  std::string trace_id() const;  // 32 lower-case hexadecimal digits, as logs show it
  std::string span_id() const;   // 16
  std::string traceparent() const;

  friend bool operator==(const TraceContext&, const TraceContext&) = default;
};

}  // namespace troupe::runtime
