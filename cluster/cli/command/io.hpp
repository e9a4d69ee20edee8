// Where a command writes, and what the terminal there can show.
//
// Data goes to `out`, everything else (mistakes, hints, progress) to `err`. Colour only on a
// terminal, and never with NO_COLOR (https://no-color.org) or TERM=dumb.
#pragma once

#include <functional>
#include <istream>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>

namespace troupe::cluster {

struct CliIo {
  std::string program = "troupe";  // as it was called, for commands that are to be repeated
  std::ostream* out = nullptr;
  std::ostream* err = nullptr;
  std::istream* in = nullptr;  // where a question is answered; null: nowhere
  std::function<std::optional<std::string>(const std::string& name)> environment;
  bool colour = false;      // of `out`
  bool unicode = false;     // box characters may be written
  bool clearable = false;   // `out` is a terminal on which everything can be written over
  bool rewritable = false;  // `err` is a terminal on which a line can be written over

  // Standard output, standard error and the environment of this process.
  static CliIo process();
};

// Whether colour is wanted on a stream that is a terminal, or is none.
bool colour_wanted(const CliIo& io, bool terminal);

// Whether the environment's locale is UTF-8, as POSIX orders LC_ALL, LC_CTYPE and LANG.
bool utf8_locale(const CliIo& io);

enum class Tint : unsigned char { none, good, warning, bad, faint, strong };

// The text with the escape sequences of the tint around it, or as it is without colour.
std::string tinted(std::string_view text, Tint tint, bool colour);

// For text from elsewhere, so that it cannot drive the terminal: control characters become spaces.
std::string harmless(std::string_view text);

// The same for text of several lines, which stay lines.
std::string harmless_lines(std::string_view text);

// A word of a command line, in quotes where a shell would see more than one.
std::string shell_word(const std::string& text);

// Columns that the text takes: UTF-8 code points.
std::size_t width(std::string_view text);

}  // namespace troupe::cluster
