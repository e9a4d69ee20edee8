#include "cluster/cli/command/io.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>

namespace troupe::cluster {

CliIo CliIo::process() {
  CliIo io;
  io.out = &std::cout;
  io.err = &std::cerr;
  io.in = &std::cin;
  io.environment = [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    return value ? std::optional<std::string>{value} : std::nullopt;
  };
  io.colour = colour_wanted(io, isatty(STDOUT_FILENO) == 1);
  io.unicode = utf8_locale(io);
  const bool moves = io.environment("TERM").value_or("dumb") != "dumb";
  io.clearable = isatty(STDOUT_FILENO) == 1 && moves;
  io.rewritable = isatty(STDERR_FILENO) == 1 && moves;
  return io;
}

bool colour_wanted(const CliIo& io, bool terminal) {
  return terminal && io.environment("NO_COLOR").value_or("").empty() &&
         io.environment("TERM").value_or("dumb") != "dumb";
}

bool utf8_locale(const CliIo& io) {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    std::string value = io.environment(name).value_or("");
    if (value.empty()) continue;
    std::transform(value.begin(), value.end(), value.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return value.find("utf-8") != std::string::npos || value.find("utf8") != std::string::npos;
  }
  return false;
}

std::string tinted(std::string_view text, Tint tint, bool colour) {
  if (!colour || tint == Tint::none || text.empty()) return std::string{text};
  std::string_view code;
  switch (tint) {
    case Tint::none:
      break;
    case Tint::good:
      code = "\x1b[32m";
      break;
    case Tint::warning:
      code = "\x1b[33m";
      break;
    case Tint::bad:
      code = "\x1b[31m";
      break;
    case Tint::faint:
      code = "\x1b[2m";
      break;
    case Tint::strong:
      code = "\x1b[1m";
      break;
  }
  return std::string{code} + std::string{text} + "\x1b[0m";
}

namespace {

std::string without_controls(std::string_view text, bool keep_lines) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    // The second set of control characters is C2 80 to C2 9F in UTF-8.
    const bool second_set =
        byte == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0;
    if (second_set) ++i;
    const bool control = byte < 0x20 || byte == 0x7f || second_set;
    result += control && !(keep_lines && byte == '\n') ? ' ' : text[i];
  }
  return result;
}

}  // namespace

std::string harmless(std::string_view text) {
  return without_controls(text, false);
}

std::string harmless_lines(std::string_view text) {
  return without_controls(text, true);
}

std::string shell_word(const std::string& text) {
  const bool plain = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view{"_-./,:@%+="}.find(c) != std::string_view::npos;
  });
  if (plain) return text;
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string{"'\\''"} : std::string{c};
  return quoted + "'";
}

std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;  // not a continuation byte
  }));
}

}  // namespace troupe::cluster
