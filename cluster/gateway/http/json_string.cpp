#include "cluster/gateway/http/json_string.hpp"

#include <cstdint>

#include "runtime/telemetry/utf8.hpp"

namespace troupe::cluster {
namespace {

void append_escaped(std::string& out, char c) {
  constexpr std::string_view hex = "0123456789abcdef";
  switch (c) {
    case '"':
    case '\\':
      out += '\\';
      out += c;
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  const auto byte = static_cast<std::uint8_t>(c);
  if (byte >= 0x20) {
    out += c;
    return;
  }
  out += "\\u00";
  out += hex[byte >> 4];
  out += hex[byte & 0xF];
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const auto piece = runtime::first_utf8(text);
    if (!piece.valid) {
      out += "\xEF\xBF\xBD";
    } else if (piece.size == 1) {
      append_escaped(out, text.front());
    } else {
      out += text.substr(0, piece.size);
    }
    text.remove_prefix(piece.size);
  }
  out += '"';
}

}  // namespace troupe::cluster
