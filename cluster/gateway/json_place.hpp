// Where one value that JSON has goes: into a field of a message, added if the field is repeated.
// For plain_json.hpp.
//
// Everything returns false for what does not belong there or is left to Protobuf: numbers out of
// range, texts that are not written in the usual way.
#pragma once

#include <cstdint>
#include <string_view>

namespace google::protobuf {
class FieldDescriptor;
class Message;
}  // namespace google::protobuf

namespace troupe::cluster {

struct JsonPlace {
  google::protobuf::Message* message = nullptr;  // null: nothing belongs there
  const google::protobuf::FieldDescriptor* field = nullptr;

  // Text, enumerators, bytes, numbers in quotes, what json_forms.hpp says is text.
  bool put(std::string_view text) const;
  bool put(std::int64_t number) const;
  bool put(std::uint64_t number) const;
  // As it is written: Boost.JSON may read the last digit wrong.
  bool put_fraction(std::string_view digits) const;
  bool put(bool value) const;

  // Of a field that is a message: the one that stands there then.
  google::protobuf::Message& put_message() const;
};

}  // namespace troupe::cluster
