// The only forms that names have.
#pragma once

#include <string_view>

namespace troupe::config {

bool is_service_name(std::string_view text);  // in full: "banking.v1.Accounts"
// Of a cluster, a node, a label: lower case letters, digits and inner hyphens, 63 at most.
bool is_name(std::string_view text);

}  // namespace troupe::config
