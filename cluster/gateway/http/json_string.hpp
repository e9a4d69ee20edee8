// Text as a JSON string (RFC 8259, section 7), for the few places that write JSON without a
// Protobuf message.
#pragma once

#include <string>
#include <string_view>

namespace troupe::cluster {

// Appends `text` in quotes. Bytes that are not UTF-8 become U+FFFD, so that the output always is.
void append_json_string(std::string& out, std::string_view text);

}  // namespace troupe::cluster
