#include "actors/contracts/http_template.hpp"

#include <algorithm>
#include <optional>

namespace troupe::actors {
namespace {

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// RFC 3986's pchar without ":", which begins the verb, and without "*", which is a wildcard.
bool is_literal(char c) {
  return is_letter(c) || is_digit(c) ||
         std::string_view{"-._~!$&'()+,;=@%"}.find(c) != std::string_view::npos;
}

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// RFC 3986, section 2.1. Nothing if an escape is malformed.
std::optional<std::string> decode(std::string_view text, bool keep_slash) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      decoded += text[at];
      continue;
    }
    if (at + 2 >= text.size()) return std::nullopt;
    const int high = hex_digit(text[at + 1]);
    const int low = hex_digit(text[at + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    const char c = static_cast<char>(high * 16 + low);
    if (c == '/' && keep_slash)
      decoded += text.substr(at, 3);
    else
      decoded += c;
    at += 2;
  }
  return decoded;
}

}  // namespace

class HttpTemplateParser {
 public:
  explicit HttpTemplateParser(std::string_view text) : text_(text) { result_.text_ = text; }

  Result<HttpTemplate> parse() {
    if (!take('/')) return mistake("a path template begins with \"/\"");
    TROUPE_CHECK(segments(false));
    if (take(':')) {
      TROUPE_TRY(verb, literal("a verb after \":\""));
      result_.verb_ = std::move(verb);
    }
    if (at_ == text_.size()) return std::move(result_);
    if (peek() == ':' || peek() == '/')
      return mistake("only the last segment may have a \":verb\"");
    return mistake("this character cannot stand here; write it as %XX");
  }

 private:
  using Segment = HttpTemplate::Segment;

  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool take(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }

  Error mistake(const std::string& what) const {
    return invalid_argument("HTTP_TEMPLATE_INVALID", "\"" + std::string{text_} + "\", character " +
                                                         std::to_string(at_ + 1) + ": " + what);
  }

  Result<std::string> literal(const char* what) {
    const auto begin = at_;
    while (at_ < text_.size() && is_literal(text_[at_])) ++at_;
    if (at_ == begin) return mistake(std::string{"write "} + what);
    auto decoded = decode(text_.substr(begin, at_ - begin), false);
    if (!decoded) {
      at_ = begin;
      return mistake("\"%\" is followed by two hexadecimal digits");
    }
    return std::move(*decoded);
  }

  Result<void> segments(bool in_variable) {
    do {
      if (!result_.segments_.empty() && result_.segments_.back().kind == Segment::Kind::rest)
        return mistake("nothing but a \":verb\" may follow \"**\"");
      TROUPE_CHECK(segment(in_variable));
    } while (take('/'));
    return {};
  }

  Result<void> segment(bool in_variable) {
    if (peek() == '{') {
      if (in_variable) return mistake("a variable cannot stand inside another one");
      return variable();
    }
    if (take('*')) {
      result_.segments_.push_back({take('*') ? Segment::Kind::rest : Segment::Kind::one, {}});
      return {};
    }
    TROUPE_TRY(text, literal("a word, \"*\", \"**\" or \"{field}\""));
    result_.segments_.push_back({Segment::Kind::literal, std::move(text)});
    return {};
  }

  Result<void> variable() {
    const auto begin = at_;
    take('{');
    TROUPE_TRY(name, field_path());
    if (std::ranges::find(result_.names_, name) != result_.names_.end()) {
      at_ = begin;
      return mistake("the variable {" + name + "} stands here twice");
    }
    HttpTemplate::Capture capture;
    capture.begin = result_.segments_.size();
    if (take('=')) {
      TROUPE_CHECK(segments(true));
    } else {
      result_.segments_.push_back({Segment::Kind::one, {}});
    }
    if (!take('}')) return mistake("close the variable {" + name + " with \"}\"");
    capture.end = result_.segments_.size();
    capture.single = capture.end - capture.begin == 1 &&
                     result_.segments_[capture.begin].kind != Segment::Kind::rest;
    result_.captures_.push_back(capture);
    result_.names_.push_back(std::move(name));
    return {};
  }

  Result<std::string> field_path() {
    const auto begin = at_;
    do {
      if (!is_letter(peek()) && peek() != '_') return mistake("write a field's name");
      while (is_letter(peek()) || is_digit(peek()) || peek() == '_') ++at_;
    } while (take('.'));
    return std::string{text_.substr(begin, at_ - begin)};
  }

  std::string_view text_;
  std::size_t at_ = 0;
  HttpTemplate result_;
};

Result<HttpTemplate> HttpTemplate::parse(std::string_view text) {
  return HttpTemplateParser{text}.parse();
}

bool HttpTemplate::match(std::string_view path,
                         std::vector<std::pair<std::string, std::string>>* variables) const {
  if (path.empty() || path.front() != '/') return false;
  path.remove_prefix(1);

  const auto colon = path.find(':', path.rfind('/') + 1);  // npos + 1 is 0: a single segment
  if ((colon == std::string_view::npos) != verb_.empty()) return false;
  if (colon != std::string_view::npos) {
    if (decode(path.substr(colon + 1), false) != verb_) return false;
    path = path.substr(0, colon);
  }

  std::vector<std::string_view> parts;
  for (std::size_t begin = 0; !path.empty() && begin <= path.size();) {
    const auto end = std::min(path.find('/', begin), path.size());
    if (end == begin) return false;  // an empty segment
    parts.push_back(path.substr(begin, end - begin));
    begin = end + 1;
  }

  const bool open = !segments_.empty() && segments_.back().kind == Segment::Kind::rest;
  const auto fixed = segments_.size() - (open ? 1 : 0);
  if (open ? parts.size() < fixed : parts.size() != fixed) return false;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto decoded = decode(parts[i], false);
    if (!decoded) return false;
    if (i < fixed && segments_[i].kind == Segment::Kind::literal &&
        *decoded != segments_[i].literal)
      return false;
  }
  if (variables == nullptr) return true;

  variables->clear();
  for (std::size_t i = 0; i < captures_.size(); ++i) {
    const auto& capture = captures_[i];
    const auto end = capture.end == segments_.size() ? parts.size() : capture.end;
    std::string value;
    for (auto part = capture.begin; part < end; ++part) {
      if (part > capture.begin) value += '/';
      value += *decode(parts[part], !capture.single);
    }
    variables->emplace_back(names_[i], std::move(value));
  }
  return true;
}

bool HttpTemplate::spans(std::string_view variable) const {
  for (std::size_t i = 0; i < names_.size(); ++i)
    if (names_[i] == variable) return !captures_[i].single;
  return false;
}

bool HttpTemplate::clashes(const HttpTemplate& other) const {
  if (verb_ != other.verb_) return false;
  const auto& a = segments_;
  const auto& b = other.segments_;
  for (std::size_t i = 0;; ++i) {
    if (i < a.size() && a[i].kind == Segment::Kind::rest) return true;
    if (i < b.size() && b[i].kind == Segment::Kind::rest) return true;
    if (i == a.size() || i == b.size()) return a.size() == b.size();
    if (a[i].kind == Segment::Kind::literal && b[i].kind == Segment::Kind::literal &&
        a[i].literal != b[i].literal)
      return false;
  }
}

}  // namespace troupe::actors
