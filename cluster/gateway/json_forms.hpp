// Which form a message has in JSON: an object of its fields or, of some in google.protobuf,
// something else (https://protobuf.dev/programming-guides/json/). For plain_json.hpp.
#pragma once

#include <string>
#include <string_view>

namespace google::protobuf {
class Descriptor;
class Message;
}  // namespace google::protobuf

namespace troupe::cluster {

enum class JsonForm {
  object,
  text,     // Timestamp, Duration, FieldMask
  wrapper,  // as its one field
  other,    // is left to Protobuf
};

// Far from what Protobuf allows.
constexpr int json_depth_max = 16;
// Fields of an object: those that were read are bits of a number.
constexpr int json_fields_max = 64;

JsonForm json_form(const google::protobuf::Descriptor& type);

// Of a message whose form is text. False: left to Protobuf, as an error or as a rare form.
bool read_json_text(std::string_view text, google::protobuf::Message& message);
// Appends it, without quotes; it has no character that needs an escape. False: has no such form.
bool append_json_text(std::string& out, const google::protobuf::Message& message);

}  // namespace troupe::cluster
