#include "cluster/gateway/http/http_message.hpp"

#include <algorithm>

namespace troupe::cluster {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// Its weight, "q", is zero (RFC 9110, section 12.4.2).
bool weighs_nothing(std::string_view range) {
  for (auto at = range.find(';'); at != std::string_view::npos; at = range.find(';', at + 1)) {
    const std::string_view parameter =
        trimmed(range.substr(at + 1, range.find(';', at + 1) - at - 1));
    if (parameter.size() < 3 || lower(parameter[0]) != 'q' || parameter[1] != '=') continue;
    return parameter.find_first_not_of("0.", 2) == std::string_view::npos;
  }
  return false;
}

}  // namespace

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trimmed(std::string_view text) {
  const auto begin = std::min(text.find_first_not_of(" \t"), text.size());
  return text.substr(begin, text.find_last_not_of(" \t") + 1 - begin);
}

bool is_json(const HttpRequest& request) {
  const auto* type = request.header("Content-Type");
  return type != nullptr &&
         equal_ignoring_case(trimmed(std::string_view{*type}.substr(0, type->find(';'))),
                             "application/json");
}

bool accepts_json(const HttpRequest& request) {
  int closest = -1;  // how closely a range names JSON
  bool accepted = true;
  for (const auto& header : request.headers) {
    if (!equal_ignoring_case(header.name, "Accept")) continue;
    std::string_view rest = header.value;
    while (!rest.empty()) {
      const auto comma = rest.find(',');
      const std::string_view range = rest.substr(0, comma);
      rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
      const std::string_view type = trimmed(range.substr(0, range.find(';')));
      const int close = equal_ignoring_case(type, "application/json") ? 2
                        : equal_ignoring_case(type, "application/*")  ? 1
                        : type == "*/*" || type == "*"                ? 0
                                                                      : -1;
      if (type.empty()) continue;
      if (closest == -1 && close == -1) accepted = false;
      if (close < 0 || close < closest) continue;
      closest = close;
      accepted = !weighs_nothing(range);
    }
  }
  return accepted;
}

const std::string* HttpRequest::header(std::string_view name) const {
  for (const auto& header : headers) {
    if (equal_ignoring_case(header.name, name)) return &header.value;
  }
  return nullptr;
}

std::size_t HttpRequest::count(std::string_view name) const {
  return static_cast<std::size_t>(std::ranges::count_if(
      headers, [name](const auto& header) { return equal_ignoring_case(header.name, name); }));
}

}  // namespace troupe::cluster
