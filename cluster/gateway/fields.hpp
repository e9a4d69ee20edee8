// Fields of a request that come as text: path variables and query parameters.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/result.hpp"

namespace google::protobuf {
class Descriptor;
class FieldDescriptor;
class Message;
}  // namespace google::protobuf

namespace troupe::cluster {

// The way from a message to one of its fields: "order.customer.name".
class FieldPath {
 public:
  // Each part is a field's name, or its name in JSON. INVALID_ARGUMENT / FIELD_UNKNOWN names the
  // part that is not there; FIELD_INVALID: the way leads through a repeated field or ends at one
  // that has no form as text (a map, a message that is not written as a JSON string or number).
  static Result<FieldPath> resolve(const google::protobuf::Descriptor& type, std::string_view path);

  // Sets the field, or appends to it if it is repeated. Numbers, booleans and enumerations are
  // written as in JSON but without quotes; bytes are base64. FIELD_INVALID says what is wrong.
  Result<void> set(google::protobuf::Message& message, std::string_view text) const;

  // Something else has given the field, or another one of its oneof, a value.
  bool taken(const google::protobuf::Message& message) const;

  // The field holds what set() would make of `text`. False for a repeated field.
  bool holds(const google::protobuf::Message& message, std::string_view text) const;

  const google::protobuf::FieldDescriptor& field() const { return *fields_.back(); }
  bool repeated() const;
  bool begins_with(const google::protobuf::FieldDescriptor& field) const {
    return fields_.front() == &field;
  }
  std::string text() const;  // "order.customer.name", by the fields' own names

  friend bool operator==(const FieldPath&, const FieldPath&) = default;

 private:
  const google::protobuf::Message* parent(const google::protobuf::Message& message) const;

  std::vector<const google::protobuf::FieldDescriptor*> fields_;
};

}  // namespace troupe::cluster
