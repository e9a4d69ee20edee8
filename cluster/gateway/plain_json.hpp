// The part of Protobuf's JSON that messages get by with, read by Boost.JSON's parser straight into
// a message, and written, by reflection. Why: Protobuf's own code of this version describes the
// types anew for each message, which takes ten times as long as the message.
//
// That part is proto3's messages with fields of all types, maps and oneofs; of google.protobuf the
// wrappers, Timestamp, Duration, FieldMask and Empty; JSON as RFC 8259 has it, with each value in
// the form in which it is written. Whatever else comes is declined, and json.hpp, the one user,
// leaves it to Protobuf: Any, Struct, Value and proto2; errors, which Protobuf explains; and what
// it takes for more than JSON, such as names without quotes or `null` in a list.
//
// What is not declined is what Protobuf would have read, and the same JSON that it would have
// written: tests/fuzz/json.cpp compares. Only characters that need no escape are escaped by it.
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
