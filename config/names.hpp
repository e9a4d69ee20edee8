// The only forms that names have.
#pragma once

#include <string_view>

namespace troupe::config {

bool is_service_name(std::string_view text);  // in full: "banking.v1.Accounts"
// Of a cluster, a node, a label: lower case letters, digits and inner hyphens, 63 at most.
bool is_name(std::string_view text);
// Where a page of a browser comes from (RFC 6454, section 6.2): "https://shop.example:8443",
// without a path; lower case, as browsers send it.
bool is_origin(std::string_view text);

}  // namespace troupe::config
