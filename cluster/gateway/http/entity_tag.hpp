// Entity tags (RFC 9110, section 8.8.3).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::cluster {

// A strong one for these bytes, in quotes.
std::string entity_tag(std::string_view bytes);

// Whether the value of an If-None-Match header names the tag, by the weak comparison.
bool matches(std::string_view if_none_match, std::string_view tag);

// The tag of an entity's version, and what a header that holds one such tag says; nullopt: none, or
// something else, as a weak one.
std::string version_tag(std::uint64_t version);
std::optional<std::uint64_t> version_of(std::string_view tag);

}  // namespace troupe::cluster
