// The part of Protobuf's JSON that nearly all messages get by with, read and written by reflection.
// Why: Protobuf's own code of this version describes the types anew for each message, which takes
// ten times as long as the message.
//
// "Plain" is what has one form only: messages of proto3 with booleans, whole numbers, enumerators
// by name, messages, and text of printable ASCII without escapes. Whatever else comes (errors,
// maps, well-known types, fractions, bytes, null, a name given twice) is declined, and json.hpp,
// the one user, leaves it to Protobuf. What is not declined is what Protobuf would have said.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace google::protobuf {
class Message;
}  // namespace google::protobuf

namespace troupe::cluster {

// False: declined; the message may then hold anything.
bool read_plain_json(std::string_view json, google::protobuf::Message& message);

// Nothing: declined. `defaults`: also fields of plain types that have no value.
std::optional<std::string> write_plain_json(const google::protobuf::Message& message,
                                            bool defaults);

}  // namespace troupe::cluster
