#include "config/loading/syntax.hpp"

#include <algorithm>
#include <limits>
#include <optional>

namespace troupe::config {
namespace {

constexpr std::size_t problems_max = 20;
constexpr std::size_t no_error = std::numeric_limits<std::size_t>::max();

struct SyntaxError {
  std::size_t line = 0;  // from 1
  std::size_t column = 0;
  std::string message;
};

constexpr std::string_view end_of_file = "end-of-file";

// The parser's words, and what usually helps.
Complaint explain(std::string_view description) {
  static constexpr std::pair<std::string_view, std::string_view> hints[] = {
      {"cannot redefine", "write it once; [[nodes]] in double brackets begins another node"},
      {"unescaped control characters", "close the string with a quote before the line ends"},
      {"expected comma or closing ']'", "put commas between elements and close the array with ]"},
      {"closing '}'", "an inline table stands on one line and ends with }"},
      {"expected ']'", "close the heading with ], or ]] for [[nodes]]"},
      {"expected '='", "write key = value"},
      {"expected value, saw", "write a value after the ="},
      {"expected a comment or whitespace",
       "one value a line; texts, durations and sizes in quotes"},
      {end_of_file, "close the string or the array"},
  };
  // "Error while parsing boolean: ...": a text without quotes is taken for whatever it resembles.
  for (const std::string_view kind :
       {"boolean", "floating-point", "decimal integer", "value", "time", "date", "date-time"})
    if (description.starts_with("Error while parsing " + std::string{kind} + ":"))
      return {"not a value of TOML", "write texts, addresses, durations and sizes in quotes"};
  if (const auto what = description.find(": "); what != std::string_view::npos)
    description.remove_prefix(what + 2);
  Complaint complaint{"not TOML: " + std::string{description}, ""};
  for (const auto& [part, hint] : hints)
    if (complaint.hint.empty() && description.find(part) != std::string_view::npos)
      complaint.hint = hint;
  return complaint;
}

struct Attempt {
  toml::table root;
  std::optional<SyntaxError> error;
  std::size_t reached() const { return error ? error->line : no_error; }
};

Attempt attempt(const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& line : lines) text += line + "\n";
  try {
    return {toml::parse(text), std::nullopt};
  } catch (const toml::parse_error& error) {
    const auto& place = error.source().begin;
    const std::size_t line = std::clamp<std::size_t>(place.line, 1, lines.size());
    return {{},
            SyntaxError{line, std::max<std::size_t>(place.column, 1),
                        std::string{error.description()}}};
  }
}

std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const auto end = text.find('\n');
    lines.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  if (lines.empty()) lines.emplace_back();
  return lines;
}

bool begins_section(const std::string& line) {
  const auto first = line.find_first_not_of(" \t");
  return first != std::string::npos && line[first] == '[';
}

bool begins_statement(const std::string& line) {
  const auto first = line.find_first_not_of(" \t");
  if (first == std::string::npos) return false;
  if (line[first] == '[') return true;
  const auto equals = line.find('=');
  if (equals == std::string::npos) return false;
  // A key: words, quotes and dots only before the equals sign.
  return std::all_of(line.begin(), line.begin() + static_cast<std::ptrdiff_t>(equals), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view{"_-.\"' \t"}.find(c) != std::string_view::npos;
  });
}

// `lines` without those from `from` to `to`, whose numbers stay as they are.
std::vector<std::string> without(std::vector<std::string> lines, std::size_t from, std::size_t to) {
  for (std::size_t line = from; line <= to; ++line) lines[line - 1].clear();
  return lines;
}

struct Remainder {
  std::vector<std::string> lines;
  std::size_t from = 0;  // the first line that was left out
  bool further = false;  // the parser gets past the error now
};

// Leaves out as little as lets the parser get past the error: the line, its statement, or that and
// the one before it (an array that was never closed fails at the statement that follows it; a
// string or an array that swallows the rest of the file may begin anywhere). A section whose
// heading is broken goes as a whole, because its keys would land in another.
Remainder leave_out(const std::vector<std::string>& lines, const SyntaxError& error) {
  std::size_t to = error.line;
  if (begins_section(lines[error.line - 1]))
    while (to < lines.size() && !begins_section(lines[to])) ++to;
  const bool swallowed = error.message.find(end_of_file) != std::string::npos;
  int statements_max = swallowed ? 200 : 2;

  Remainder best{without(lines, error.line, to), error.line, false};
  std::size_t best_reached = attempt(best.lines).reached();
  for (std::size_t from = error.line - 1; from >= 1 && best_reached != no_error; --from) {
    if (!begins_statement(lines[from - 1])) continue;
    if (statements_max-- == 0) break;
    auto candidate = without(lines, from, swallowed ? from : to);
    const std::size_t reached = attempt(candidate).reached();
    if (reached <= best_reached) continue;
    best = {std::move(candidate), from, true};
    best_reached = reached;
  }
  best.further = best_reached > error.line;
  return best;
}

std::size_t first_column(const std::string& line) {
  const auto first = line.find_first_not_of(" \t");
  return first == std::string::npos ? 1 : first + 1;
}

// Where a reader would look: values and repeated keys fail somewhere inside or behind.
std::size_t telling_column(const std::string& line, const SyntaxError& error) {
  if (error.message.find("cannot redefine") != std::string::npos) return first_column(line);
  const auto equals = line.find('=');
  if (!begins_statement(line) || equals == std::string::npos || equals + 1 >= error.column)
    return error.column;
  const auto value = line.find_first_not_of(" \t", equals + 1);
  return value == std::string::npos ? error.column : value + 1;
}

}  // namespace

Parsed parse_toml(std::string_view text, const std::string& file) {
  Parsed parsed;
  std::vector<std::string> lines = split_lines(text);
  for (;;) {
    Attempt now = attempt(lines);
    if (!now.error) {
      parsed.root = std::move(now.root);
      return parsed;
    }
    Remainder remainder = leave_out(lines, *now.error);
    // An earlier statement had to go as well: that is the one which is not closed.
    const bool unclosed = remainder.from < now.error->line;
    const std::size_t line = remainder.from;
    const std::size_t column =
        unclosed ? first_column(lines[line - 1]) : telling_column(lines[line - 1], *now.error);
    Complaint complaint = unclosed ? Complaint{"not TOML: what begins here does not end",
                                               "close the string, the array or the table"}
                                   : explain(now.error->message);
    parsed.problems.push_back({file, static_cast<std::uint32_t>(line),
                               static_cast<std::uint32_t>(column), "", std::move(complaint.message),
                               std::move(complaint.hint)});
    if (!remainder.further || parsed.problems.size() == problems_max) return parsed;
    lines = std::move(remainder.lines);
  }
}

}  // namespace troupe::config
