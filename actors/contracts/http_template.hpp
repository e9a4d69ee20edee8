// The path template of a google.api.http rule: parsed when a contract is generated, matched when a
// request arrives.
//
//   Template = "/" Segments [ ":" Literal ]
//   Segments = Segment { "/" Segment }
//   Segment  = "*" | "**" | Literal | "{" FieldPath [ "=" Segments ] "}"
//
// Syntax and decoding are those of
// https://github.com/googleapis/googleapis/blob/master/google/api/http.proto; where it leaves a
// choice, routing here depends on no order and no precedence:
//
// - A ":" in the last segment of a path begins the verb. One that belongs to a value is sent as
//   "%3A", as every URI library does. So "/accounts/a:close" never means an account "a:close".
// - An empty segment ("//", a trailing "/") matches nothing. The path "/" has no segments.
// - "**" stands at the end and matches any number of segments, none included.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/result.hpp"

namespace troupe::actors {

// Immutable once parsed; any number of threads may match.
class HttpTemplate {
 public:
  // INVALID_ARGUMENT / HTTP_TEMPLATE_INVALID says what is wrong, at which character, and what to
  // write.
  static Result<HttpTemplate> parse(std::string_view text);

  // `path` is as it stands in the request: percent-encoded, without the query. If it matches,
  // `variables` (may be null) is filled with field path and decoded value, in the template's order.
  // A variable of one segment is decoded fully; in one of several, "%2F" stays as it is, so that it
  // is not taken for a separator. A malformed escape ("%zz") matches nothing.
  bool match(std::string_view path,
             std::vector<std::pair<std::string, std::string>>* variables) const;

  // There is a path that both match, whatever the names of their variables are.
  bool clashes(const HttpTemplate& other) const;

  // Field paths ("account", "account.name"), in the template's order.
  const std::vector<std::string>& variables() const { return names_; }

  // The variable may take other than one segment of a path.
  bool spans(std::string_view variable) const;

  // As it was written.
  const std::string& text() const { return text_; }

 private:
  friend class HttpTemplateParser;

  struct Segment {
    enum class Kind : std::uint8_t { literal, one, rest };
    Kind kind = Kind::literal;
    std::string literal;  // decoded
  };
  // The variable `names_[i]` covers segments [begin, end).
  struct Capture {
    std::size_t begin = 0;
    std::size_t end = 0;
    bool single = false;  // "*": one segment, decoded fully
  };

  std::string text_;
  std::vector<Segment> segments_;
  std::vector<Capture> captures_;
  std::vector<std::string> names_;
  std::string verb_;  // decoded, empty: none
};

}  // namespace troupe::actors
