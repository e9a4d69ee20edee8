// Messages as --json prints them.
#pragma once

#include <google/protobuf/message.h>

#include <string>

namespace troupe::cluster {

// One line, Protobuf's JSON mapping, with fields that hold their default: programs need not know
// which may be missing.
std::string to_json(const google::protobuf::Message& message);

}  // namespace troupe::cluster
