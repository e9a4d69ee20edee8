// JSON to Protobuf messages and back, by Protobuf's own mapping
// (https://protobuf.dev/programming-guides/json/): 64-bit integers are strings, bytes are base64,
// names are lowerCamelCase (a field's own name is read, too). plain_json.hpp reads and writes
// nearly all of it; the rest is Protobuf's, as lenient as that is: it also takes unquoted names and
// a trailing comma.
//
// What is read must fit: an unknown field is an error. What is written holds every field that has a
// value, and fields of plain types also when theirs is the default, so that a balance of zero
// shows.
#pragma once

#include <string>
#include <string_view>

#include "runtime/result.hpp"

namespace google::protobuf {
class FieldDescriptor;
class Message;
}  // namespace google::protobuf

namespace troupe::cluster {

// Reads one JSON object into `message`, whose type is compiled in. INVALID_ARGUMENT with reason
// JSON_INVALID (not JSON; says where), FIELD_UNKNOWN or FIELD_INVALID (both name the field, behind
// `prefix`, as "order.lines[2].count").
Result<void> json_to_message(std::string_view json, google::protobuf::Message& message,
                             const std::string& prefix = "");

// Which fields are written: as said above, or only those that have a value.
enum class JsonFields { with_defaults, present };

// INTERNAL / REPLY_MALFORMED if it has no JSON form, such as a timestamp out of range.
Result<std::string> message_to_json(const google::protobuf::Message& message,
                                    JsonFields fields = JsonFields::with_defaults);

// The value of one field.
Result<std::string> field_to_json(const google::protobuf::Message& message,
                                  const google::protobuf::FieldDescriptor& field);

// The same bytes for the same message in every process: map entries are sorted.
std::string serialize_deterministically(const google::protobuf::Message& message);

}  // namespace troupe::cluster
