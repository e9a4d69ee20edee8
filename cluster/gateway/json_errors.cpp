#include "cluster/gateway/json_errors.hpp"

#include <algorithm>
#include <optional>

namespace troupe::cluster {
namespace {

// "TYPE_INT64" to "an int64", "type.googleapis.com/banking.v1.Currency" to "a banking.v1.Currency".
std::string type_name(std::string_view type) {
  constexpr std::string_view url = "type.googleapis.com/";
  constexpr std::string_view plain = "TYPE_";
  std::string name;
  if (type.starts_with(url)) {
    name = type.substr(url.size());
  } else if (type.starts_with(plain)) {
    name = type.substr(plain.size());
    std::ranges::transform(name, name.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
  } else {
    name = type;
  }
  const bool vowel = !name.empty() && std::string_view{"aeiou"}.find(name.front()) != name.npos;
  // "uint32" is said "you-int".
  return (vowel && !name.starts_with("uint") ? "an " : "a ") + name;
}

// "the line\n   ^": what the caret points at.
std::string_view pointed_at(std::string_view excerpt) {
  const auto line = excerpt.substr(0, excerpt.find('\n'));
  const auto caret = excerpt.rfind('^');
  if (caret == std::string_view::npos || caret <= line.size()) return {};
  return line.substr(std::min(caret - line.size() - 1, line.size()));
}

Error invalid_json(std::string_view message) {
  const auto end = message.find('\n');
  std::string text{message.substr(0, end)};
  if (text.ends_with('.')) text.pop_back();
  const auto at =
      end == std::string_view::npos ? std::string_view{} : pointed_at(message.substr(end + 1));
  if (!at.empty()) text += ", at: " + std::string{at};
  return invalid_argument("JSON_INVALID", "the body is not valid JSON: " + text);
}

std::optional<Error> unknown_field(std::string_view path, std::string_view rest,
                                   const std::string& prefix) {
  constexpr std::string_view mark = ": Cannot find field.";
  if (!rest.ends_with(mark)) return std::nullopt;
  rest.remove_suffix(mark.size());
  std::string field = prefix;
  if (!path.empty()) field += std::string{path} + '.';
  return invalid_argument("FIELD_UNKNOWN", "there is no field \"" + field +
                                               std::string{shortened(rest)} +
                                               "\"; correct its name or leave it out");
}

std::optional<Error> invalid_value(std::string_view path, std::string_view rest,
                                   const std::string& prefix) {
  constexpr std::string_view mark = ": invalid value ";
  constexpr std::string_view for_type = " for type ";
  const auto split = rest.rfind(for_type);
  if (!rest.starts_with(mark) || split == std::string_view::npos) return std::nullopt;
  const std::string value{shortened(rest.substr(mark.size(), split - mark.size()))};
  const auto type = rest.substr(split + for_type.size());
  // Some messages have the field's name, or "oneof", where others have the type.
  if (path.empty()) {
    return invalid_argument(
        "FIELD_INVALID",
        type == "oneof" ? value : "\"" + prefix + std::string{type} + "\": " + value);
  }
  return invalid_argument("FIELD_INVALID", "\"" + prefix + std::string{path} + "\": " + value +
                                               " is not " + type_name(type));
}

}  // namespace

std::string_view shortened(std::string_view text) {
  constexpr std::size_t quoted_bytes_max = 80;
  if (text.size() <= quoted_bytes_max) return text;
  auto end = quoted_bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end);
}

Error json_error(std::string_view message, const std::string& prefix) {
  if (message == ": Root element must be a message.") {
    return prefix.empty()
               ? invalid_argument("JSON_INVALID", "the body is not a JSON object: begin it with {")
               : invalid_argument("FIELD_INVALID", "\"" + prefix.substr(0, prefix.size() - 1) +
                                                       "\" is an object: begin the body with {");
  }
  if (message.find('\n') != std::string_view::npos) return invalid_json(message);

  // "(path): ..." or "(path) name: ..." or, at the top, "name: ..."
  std::string_view path;
  auto rest = message;
  if (message.starts_with('(')) {
    const auto end = std::min(message.find(')'), message.size() - 1);
    path = message.substr(1, end - 1);
    rest = message.substr(end + 1);
    if (rest.starts_with(' ')) rest.remove_prefix(1);
  }
  if (auto error = invalid_value(path, rest, prefix)) return std::move(*error);
  if (auto error = unknown_field(path, rest, prefix)) return std::move(*error);

  if (rest.starts_with(": ")) rest.remove_prefix(2);
  std::string text{shortened(rest)};
  if (!path.empty()) text = "\"" + prefix + std::string{path} + "\": " + text;
  return invalid_argument("FIELD_INVALID", std::move(text));
}

}  // namespace troupe::cluster
