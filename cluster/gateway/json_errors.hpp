// What Protobuf 3.21's JSON parser says, in our words.
#pragma once

#include <string>
#include <string_view>

#include "runtime/error.hpp"

namespace troupe::cluster {

// INVALID_ARGUMENT with JSON_INVALID, FIELD_UNKNOWN or FIELD_INVALID. A message of a form that is
// not known is passed on as it is.
Error json_error(std::string_view message, const std::string& prefix);

// A client's text as an error quotes it: the beginning, if it is long.
std::string_view shortened(std::string_view text);

}  // namespace troupe::cluster
