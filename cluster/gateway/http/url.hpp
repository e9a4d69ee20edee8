// Percent-encoding (RFC 3986) and the query of a URL.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe::cluster {

// Nothing if an escape is malformed ("%zz"). `plus_is_space`: "+" stands for a space, as HTML forms
// and most clients write queries.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space);

// "a=1&b&c=x%20y" to {a, 1}, {b, ""}, {c, "x y"}. Empty parts are skipped. Nothing if an escape is
// malformed.
std::optional<std::vector<std::pair<std::string, std::string>>> parse_query(std::string_view query);

// Well-formed UTF-8 (RFC 3629): what a Protobuf string may hold.
bool is_utf8(std::string_view text);

}  // namespace troupe::cluster
