#include "runtime/telemetry/trace.hpp"

#include <fmt/format.h>

namespace troupe::runtime {
namespace {

// Lower case only, as the recommendation's HEXDIGLC.
std::optional<std::uint64_t> parse_hex(std::string_view digits) {
  std::uint64_t value = 0;
  for (const char c : digits) {
    if (c >= '0' && c <= '9') {
      value = value << 4 | static_cast<std::uint64_t>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      value = value << 4 | static_cast<std::uint64_t>(c - 'a' + 10);
    } else {
      return std::nullopt;
    }
  }
  return value;
}

std::uint64_t draw_span(Random& random) {
  for (;;)
    if (const auto span = random.next(); span != 0) return span;
}

}  // namespace

std::optional<TraceContext> TraceContext::parse(std::string_view text) {
  // version "-" trace-id "-" parent-id "-" trace-flags: 2, 32, 16 and 2 digits
  constexpr std::size_t length = 55;
  if (text.size() < length || text[2] != '-' || text[35] != '-' || text[52] != '-')
    return std::nullopt;
  const auto version = parse_hex(text.substr(0, 2));
  const auto high = parse_hex(text.substr(3, 16));
  const auto low = parse_hex(text.substr(19, 16));
  const auto span = parse_hex(text.substr(36, 16));
  const auto flags = parse_hex(text.substr(53, 2));
  if (!version || !high || !low || !span || !flags) return std::nullopt;
  if (*version == 0xff || (*high == 0 && *low == 0) || *span == 0) return std::nullopt;
  // Version 00 ends here; a later one may go on behind another dash.
  if (text.size() > length && (*version == 0 || text[length] != '-')) return std::nullopt;
  return TraceContext{*high, *low, *span, (*flags & 1) != 0};
}

TraceContext TraceContext::make(Random& random, bool sampled) {
  TraceContext context;
  do {
    context.trace_high = random.next();
    context.trace_low = random.next();
  } while (context.trace_high == 0 && context.trace_low == 0);
  context.span = draw_span(random);
  context.sampled = sampled;
  return context;
}

TraceContext TraceContext::child(Random& random) const {
  TraceContext context = *this;
  context.span = draw_span(random);
  return context;
}

std::string TraceContext::trace_id() const {
  return fmt::format("{:016x}{:016x}", trace_high, trace_low);
}

std::string TraceContext::span_id() const {
  return fmt::format("{:016x}", span);
}

std::string TraceContext::traceparent() const {
  return fmt::format("00-{:016x}{:016x}-{:016x}-{:02x}", trace_high, trace_low, span,
                     sampled ? 1 : 0);
}

}  // namespace troupe::runtime
