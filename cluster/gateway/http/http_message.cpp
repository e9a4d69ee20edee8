#include "cluster/gateway/http/http_message.hpp"

#include <algorithm>

namespace troupe::cluster {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
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
