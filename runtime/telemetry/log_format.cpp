#include "runtime/telemetry/log_format.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "runtime/telemetry/utf8.hpp"

namespace troupe::runtime {
namespace {

bool is_control(std::uint32_t code_point) {
  return code_point < 0x20 || (code_point >= 0x7f && code_point <= 0x9f) || code_point == 0x2028 ||
         code_point == 0x2029;
}

// Appends `text` for a terminal; inside quotes, the quote is escaped, too.
void append_escaped(std::string& out, std::string_view text, bool quoted) {
  while (!text.empty()) {
    const auto piece = first_utf8(text);
    const auto bytes = text.substr(0, piece.size);
    text.remove_prefix(piece.size);
    if (!piece.valid) {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(bytes[0]));
    } else if (piece.code_point == '\n') {
      out += "\\n";
    } else if (piece.code_point == '\t') {
      out += "\\t";
    } else if (is_control(piece.code_point)) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", piece.code_point);
    } else {
      if (quoted && (piece.code_point == '"' || piece.code_point == '\\')) out += '\\';
      out += bytes;
    }
  }
}

bool plain(std::string_view value) {
  return !value.empty() && std::all_of(value.begin(), value.end(), [](char c) {
    return c > ' ' && c < 0x7f && c != '"' && c != '\\' && c != '=';
  });
}

void append_text_field(std::string& out, std::string_view name, std::string_view value) {
  out += ' ';
  append_escaped(out, name, false);
  out += '=';
  if (plain(value)) {
    out += value;
    return;
  }
  out += '"';
  append_escaped(out, value, true);
  out += '"';
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const auto piece = first_utf8(text);
    const auto bytes = text.substr(0, piece.size);
    text.remove_prefix(piece.size);
    if (!piece.valid) {
      out += "\xef\xbf\xbd";
    } else if (piece.code_point == '"' || piece.code_point == '\\') {
      out += '\\';
      out += bytes;
    } else if (piece.code_point == '\n') {
      out += "\\n";
    } else if (is_control(piece.code_point)) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", piece.code_point);
    } else {
      out += bytes;
    }
  }
  out += '"';
}

// What LogValue writes for numbers and truth values, unless it is nan or inf.
bool is_json_literal(std::string_view text) {
  if (text == "true" || text == "false") return true;
  if (text.starts_with('-')) text.remove_prefix(1);
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  return !text.empty() && digit(text.front()) && digit(text.back()) &&
         std::all_of(text.begin(), text.end(), [&](char c) { return digit(c) || c == '.'; });
}

void append_json_member(std::string& out, std::string_view name, std::string_view value) {
  out += out.back() == '{' ? "" : ",";
  append_json_string(out, name);
  out += ':';
  append_json_string(out, value);
}

std::string_view colour_of(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return "\x1b[2m";
    case LogLevel::info:
      return "\x1b[32m";
    case LogLevel::warn:
      return "\x1b[33m";
    case LogLevel::error:
      break;
  }
  return "\x1b[1;31m";
}

std::string_view text_level(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return "DEBUG";
    case LogLevel::info:
      return "INFO ";
    case LogLevel::warn:
      return "WARN ";
    case LogLevel::error:
      break;
  }
  return "ERROR";
}

}  // namespace

std::string_view to_string(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return "debug";
    case LogLevel::info:
      return "info";
    case LogLevel::warn:
      return "warn";
    case LogLevel::error:
      break;
  }
  return "error";
}

std::string to_string(WallTime time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{time - day};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

std::string format_text(const LogRecord& record, bool colour) {
  std::string out = to_string(record.time);
  out += ' ';
  if (colour) out += colour_of(record.level);
  out += text_level(record.level);
  if (colour) out += "\x1b[0m";
  out += ' ';
  if (!record.node.empty()) {
    append_escaped(out, record.node, false);
    out += ' ';
  }
  append_escaped(out, record.event, false);
  out += ": ";
  append_escaped(out, record.message, false);
  for (const auto& field : record.fields) append_text_field(out, field.name, field.value.text());
  if (!record.trace.empty()) append_text_field(out, "trace", record.trace);
  return out;
}

std::string format_json(const LogRecord& record) {
  std::string out = "{";
  append_json_member(out, "time", to_string(record.time));
  append_json_member(out, "level", to_string(record.level));
  if (!record.node.empty()) append_json_member(out, "node", record.node);
  append_json_member(out, "event", record.event);
  append_json_member(out, "message", record.message);
  if (!record.fields.empty()) {
    out += ",\"fields\":{";
    for (const auto& field : record.fields) {
      const auto& text = field.value.text();
      if (!field.value.quoted() && is_json_literal(text)) {
        out += out.back() == '{' ? "" : ",";
        append_json_string(out, field.name);
        out += ':';
        out += text;
      } else {
        append_json_member(out, field.name, text);
      }
    }
    out += '}';
  }
  if (!record.trace.empty()) append_json_member(out, "trace", record.trace);
  out += '}';
  return out;
}

}  // namespace troupe::runtime
