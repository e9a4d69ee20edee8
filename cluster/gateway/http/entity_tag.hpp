// Entity tags (RFC 9110, section 8.8.3).
#pragma once

#include <string>
#include <string_view>

namespace troupe::cluster {

// A strong one for these bytes, in quotes.
std::string entity_tag(std::string_view bytes);

// Whether the value of an If-None-Match header names the tag, by the weak comparison.
bool matches(std::string_view if_none_match, std::string_view tag);

}  // namespace troupe::cluster
