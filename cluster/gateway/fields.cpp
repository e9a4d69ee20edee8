#include "cluster/gateway/fields.hpp"

#include <google/protobuf/message.h>
#include <google/protobuf/util/message_differencer.h>
#include <google/protobuf/wrappers.pb.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <memory>
#include <optional>

#include "cluster/gateway/http/json_string.hpp"
#include "cluster/gateway/http/url.hpp"
#include "cluster/gateway/json.hpp"
#include "cluster/gateway/json_errors.hpp"

namespace troupe::cluster {
namespace {

namespace pb = google::protobuf;
using Field = pb::FieldDescriptor;

// Messages that JSON writes as one string, number or boolean.
bool is_plain_in_json(const pb::Descriptor& type) {
  static constexpr std::array<std::string_view, 12> names{
      "google.protobuf.Timestamp",   "google.protobuf.Duration",    "google.protobuf.FieldMask",
      "google.protobuf.StringValue", "google.protobuf.BytesValue",  "google.protobuf.BoolValue",
      "google.protobuf.Int32Value",  "google.protobuf.Int64Value",  "google.protobuf.UInt32Value",
      "google.protobuf.UInt64Value", "google.protobuf.DoubleValue", "google.protobuf.FloatValue"};
  return std::ranges::find(names, type.full_name()) != names.end();
}

Error invalid(const Field& field, std::string_view text, const std::string& wanted) {
  std::string quoted;
  append_json_string(quoted, shortened(text));
  return invalid_argument("FIELD_INVALID",
                          "\"" + field.name() + "\": " + quoted + " is not " + wanted);
}

const Field* find_field(const pb::Descriptor& type, const std::string& name) {
  if (const auto* field = type.FindFieldByName(name)) return field;
  for (int i = 0; i < type.field_count(); ++i) {
    if (type.field(i)->json_name() == name) return type.field(i);
  }
  return nullptr;
}

template <class Number>
std::optional<Number> number(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<double> floating(std::string_view text) {
  if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (text == "Infinity") return std::numeric_limits<double>::infinity();
  if (text == "-Infinity") return -std::numeric_limits<double>::infinity();
  // from_chars also reads "inf" and "nan", which JSON does not.
  if (text.find_first_not_of("0123456789+-.eE") != std::string_view::npos) return std::nullopt;
  return number<double>(text);
}

Result<int> enumerator(const Field& field, std::string_view text) {
  const auto& type = *field.enum_type();
  if (const auto* value = type.FindValueByName(std::string{text})) return value->number();
  if (const auto value = number<std::int32_t>(text)) return *value;
  std::string names;
  for (int i = 0; i < type.value_count(); ++i) {
    if (i > 0) names += ", ";
    names += type.value(i)->name();
  }
  return invalid(field, text, "a " + type.full_name() + ": write one of " + names);
}

// By the JSON form, so that there is one way in which these are read.
Result<void> read_as_json(const Field& field, std::string_view text, const std::string& wanted,
                          pb::Message& message) {
  std::string json;
  append_json_string(json, text);
  if (!json_to_message(json, message)) return invalid(field, text, wanted);
  return {};
}

// Sets a field that is not repeated, or adds to one that is. `Reflection` has a Set and an Add per
// type; this picks one of the two.
class Writer {
 public:
  Writer(pb::Message& message, const Field& field)
      : message_{message}, field_{field}, reflection_{*message.GetReflection()} {}

  template <class Value, class Argument>
  void write(void (pb::Reflection::*set)(pb::Message*, const Field*, Argument) const,
             void (pb::Reflection::*add)(pb::Message*, const Field*, Argument) const, Value value) {
    (reflection_.*(field_.is_repeated() ? add : set))(&message_, &field_, std::move(value));
  }

  template <class Number>
  Result<void> write_number(void (pb::Reflection::*set)(pb::Message*, const Field*, Number) const,
                            void (pb::Reflection::*add)(pb::Message*, const Field*, Number) const,
                            std::string_view text, const std::string& wanted) {
    const auto value = number<Number>(text);
    if (!value) return invalid(field_, text, wanted);
    write(set, add, *value);
    return {};
  }

  pb::Message& submessage() {
    return field_.is_repeated() ? *reflection_.AddMessage(&message_, &field_)
                                : *reflection_.MutableMessage(&message_, &field_);
  }

 private:
  pb::Message& message_;
  const Field& field_;
  const pb::Reflection& reflection_;
};

Result<void> write_text(pb::Message& message, const Field& field, std::string_view text) {
  using R = pb::Reflection;
  Writer writer{message, field};
  switch (field.cpp_type()) {
    case Field::CPPTYPE_INT32:
      return writer.write_number(&R::SetInt32, &R::AddInt32, text, "an int32");
    case Field::CPPTYPE_INT64:
      return writer.write_number(&R::SetInt64, &R::AddInt64, text, "an int64");
    case Field::CPPTYPE_UINT32:
      return writer.write_number(&R::SetUInt32, &R::AddUInt32, text, "a uint32");
    case Field::CPPTYPE_UINT64:
      return writer.write_number(&R::SetUInt64, &R::AddUInt64, text, "a uint64");
    case Field::CPPTYPE_DOUBLE:
    case Field::CPPTYPE_FLOAT: {
      const auto value = floating(text);
      if (!value) return invalid(field, text, "a number");
      if (field.cpp_type() == Field::CPPTYPE_DOUBLE) {
        writer.write(&R::SetDouble, &R::AddDouble, *value);
      } else {
        writer.write(&R::SetFloat, &R::AddFloat, static_cast<float>(*value));
      }
      return {};
    }
    case Field::CPPTYPE_BOOL:
      if (text != "true" && text != "false") return invalid(field, text, "true or false");
      writer.write(&R::SetBool, &R::AddBool, text == "true");
      return {};
    case Field::CPPTYPE_ENUM: {
      TROUPE_TRY(value, enumerator(field, text));
      writer.write(&R::SetEnumValue, &R::AddEnumValue, value);
      return {};
    }
    case Field::CPPTYPE_STRING:
      if (field.type() == Field::TYPE_BYTES) {
        pb::BytesValue bytes;
        TROUPE_CHECK(read_as_json(field, text, "base64", bytes));
        writer.write(&R::SetString, &R::AddString, std::move(*bytes.mutable_value()));
      } else {
        if (!is_utf8(text)) return invalid(field, text, "UTF-8");
        writer.write(&R::SetString, &R::AddString, std::string{text});
      }
      return {};
    case Field::CPPTYPE_MESSAGE:
      return read_as_json(field, text, "a " + field.message_type()->full_name(),
                          writer.submessage());
  }
  return invalid(field, text, "of a type that can be text");
}

}  // namespace

Result<FieldPath> FieldPath::resolve(const pb::Descriptor& type, std::string_view path) {
  const std::string shown{shortened(path)};
  FieldPath result;
  const auto* message = &type;
  for (auto rest = path;;) {
    const auto end = std::min(rest.find('.'), rest.size());
    const std::string name{rest.substr(0, end)};
    const auto* field = find_field(*message, name);
    if (field == nullptr) {
      return invalid_argument("FIELD_UNKNOWN", message->full_name() + " has no field \"" +
                                                   std::string{shortened(name)} + "\", which \"" +
                                                   shown + "\" asks for");
    }
    result.fields_.push_back(field);
    if (end == rest.size()) break;
    rest.remove_prefix(end + 1);
    if (field->is_repeated() || field->cpp_type() != Field::CPPTYPE_MESSAGE) {
      return invalid_argument("FIELD_INVALID", "\"" + shown + "\": \"" + name +
                                                   "\" is not one message, so it has no fields");
    }
    message = field->message_type();
  }
  const auto& last = result.field();
  if (last.is_map() ||
      (last.cpp_type() == Field::CPPTYPE_MESSAGE && !is_plain_in_json(*last.message_type()))) {
    return invalid_argument("FIELD_INVALID", "\"" + shown + "\" is a " +
                                                 (last.is_map() ? "map" : "message") +
                                                 ", which cannot be written as text");
  }
  return result;
}

Result<void> FieldPath::set(pb::Message& message, std::string_view text) const {
  auto* at = &message;
  for (std::size_t i = 0; i + 1 < fields_.size(); ++i)
    at = at->GetReflection()->MutableMessage(at, fields_[i]);
  return write_text(*at, field(), text);
}

const pb::Message* FieldPath::parent(const pb::Message& message) const {
  const auto* at = &message;
  for (std::size_t i = 0; i + 1 < fields_.size(); ++i) {
    if (!at->GetReflection()->HasField(*at, fields_[i])) return nullptr;
    at = &at->GetReflection()->GetMessage(*at, fields_[i]);
  }
  return at;
}

bool FieldPath::taken(const pb::Message& message) const {
  const auto* at = parent(message);
  if (at == nullptr) return false;
  const auto& reflection = *at->GetReflection();
  if (repeated()) return reflection.FieldSize(*at, &field()) > 0;
  const auto* choice = field().containing_oneof();
  return choice != nullptr ? reflection.HasOneof(*at, choice) : reflection.HasField(*at, &field());
}

bool FieldPath::holds(const pb::Message& message, std::string_view text) const {
  const auto* at = parent(message);
  if (at == nullptr || repeated()) return false;
  const std::unique_ptr<pb::Message> same{at->New()};
  same->CopyFrom(*at);
  return write_text(*same, field(), text) && pb::util::MessageDifferencer::Equals(*at, *same);
}

bool FieldPath::repeated() const {
  return field().is_repeated();
}

std::string FieldPath::text() const {
  std::string text;
  for (const auto* field : fields_) {
    if (!text.empty()) text += '.';
    text += field->name();
  }
  return text;
}

}  // namespace troupe::cluster
