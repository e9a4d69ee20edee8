#include "cluster/gateway/http/entity_tag.hpp"

#include <xxhash.h>

#include <charconv>
#include <cstdio>

#include "cluster/gateway/http/http_message.hpp"

namespace troupe::cluster {

std::string entity_tag(std::string_view bytes) {
  char text[24];
  std::snprintf(text, sizeof text, "\"%016llx\"",
                static_cast<unsigned long long>(XXH3_64bits(bytes.data(), bytes.size())));
  return text;
}

bool matches(std::string_view if_none_match, std::string_view tag) {
  if (trimmed(if_none_match) == "*") return true;
  while (!if_none_match.empty()) {
    const auto comma = if_none_match.find(',');
    std::string_view one = trimmed(if_none_match.substr(0, comma));
    if_none_match.remove_prefix(comma == std::string_view::npos ? if_none_match.size() : comma + 1);
    if (one.starts_with("W/")) one.remove_prefix(2);
    if (one == tag) return true;
  }
  return false;
}

std::string version_tag(std::uint64_t version) {
  return '"' + std::to_string(version) + '"';
}

std::optional<std::uint64_t> version_of(std::string_view tag) {
  tag = trimmed(tag);
  if (tag.size() < 3 || tag.front() != '"' || tag.back() != '"') return std::nullopt;
  std::uint64_t version = 0;
  const char* const end = tag.data() + tag.size() - 1;
  const auto [read, wrong] = std::from_chars(tag.data() + 1, end, version);
  if (wrong != std::errc{} || read != end) return std::nullopt;
  return version;
}

}  // namespace troupe::cluster
