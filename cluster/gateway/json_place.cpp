#include "cluster/gateway/json_place.hpp"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/stubs/strutil.h>

#include <cfloat>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "cluster/gateway/json_forms.hpp"

namespace troupe::cluster {
namespace {

namespace pb = google::protobuf;
using Field = pb::FieldDescriptor;
using R = pb::Reflection;

// A whole number as it is written: without a sign or zeros that say nothing.
template <class Number>
std::optional<Number> written_number(std::string_view text) {
  Number value{};
  const auto* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || rest != end || (text.starts_with('0') && text != "0") ||
      text.starts_with("-0"))
    return std::nullopt;
  return value;
}

template <class Value, class Argument>
bool put_value(const JsonPlace& at, void (R::*set)(pb::Message*, const Field*, Argument) const,
               void (R::*add)(pb::Message*, const Field*, Argument) const, Value value) {
  const auto& reflection = *at.message->GetReflection();
  (reflection.*(at.field->is_repeated() ? add : set))(at.message, at.field, std::move(value));
  return true;
}

template <class Number>
bool put_written(const JsonPlace& at, std::string_view text,
                 void (R::*set)(pb::Message*, const Field*, Number) const,
                 void (R::*add)(pb::Message*, const Field*, Number) const) {
  const auto value = written_number<Number>(text);
  return value && put_value(at, set, add, *value);
}

// NullValue has another form.
bool is_usual(const pb::EnumDescriptor& type) {
  return type.file()->package() != "google.protobuf";
}

bool put_bytes(const JsonPlace& at, std::string_view text) {
  std::string bytes;
  std::string same;
  if (!pb::Base64Unescape({text.data(), text.size()}, &bytes)) return false;
  pb::Base64Escape({bytes.data(), bytes.size()}, &same);
  return same == text && put_value(at, &R::SetString, &R::AddString, std::move(bytes));
}

// Into a field that is a double or a float.
bool put_real(const JsonPlace& at, double value) {
  return at.field->cpp_type() == Field::CPPTYPE_DOUBLE
             ? put_value(at, &R::SetDouble, &R::AddDouble, value)
             : put_value(at, &R::SetFloat, &R::AddFloat, static_cast<float>(value));
}

template <class Number, class Value>
bool put_number(const JsonPlace& at, Value value,
                void (R::*set)(pb::Message*, const Field*, Number) const,
                void (R::*add)(pb::Message*, const Field*, Number) const) {
  return std::in_range<Number>(value) && put_value(at, set, add, static_cast<Number>(value));
}

template <class Value>
bool put_whole(const JsonPlace& at, Value value) {
  if (at.message == nullptr) return false;
  switch (at.field->cpp_type()) {
    case Field::CPPTYPE_INT32:
      return put_number(at, value, &R::SetInt32, &R::AddInt32);
    case Field::CPPTYPE_INT64:
      return put_number(at, value, &R::SetInt64, &R::AddInt64);
    case Field::CPPTYPE_UINT32:
      return put_number(at, value, &R::SetUInt32, &R::AddUInt32);
    case Field::CPPTYPE_UINT64:
      return put_number(at, value, &R::SetUInt64, &R::AddUInt64);
    case Field::CPPTYPE_DOUBLE:
      return put_value(at, &R::SetDouble, &R::AddDouble, static_cast<double>(value));
    case Field::CPPTYPE_FLOAT:
      return put_value(at, &R::SetFloat, &R::AddFloat, static_cast<float>(value));
    case Field::CPPTYPE_ENUM:
      return is_usual(*at.field->enum_type()) &&
             put_number(at, value, &R::SetEnumValue, &R::AddEnumValue);
    case Field::CPPTYPE_BOOL:
    case Field::CPPTYPE_STRING:
    case Field::CPPTYPE_MESSAGE:
      break;
  }
  return false;
}

}  // namespace

bool JsonPlace::put(std::string_view text) const {
  if (message == nullptr) return false;
  switch (field->cpp_type()) {
    case Field::CPPTYPE_INT32:
      return put_written(*this, text, &R::SetInt32, &R::AddInt32);
    case Field::CPPTYPE_INT64:
      return put_written(*this, text, &R::SetInt64, &R::AddInt64);
    case Field::CPPTYPE_UINT32:
      return put_written(*this, text, &R::SetUInt32, &R::AddUInt32);
    case Field::CPPTYPE_UINT64:
      return put_written(*this, text, &R::SetUInt64, &R::AddUInt64);
    case Field::CPPTYPE_ENUM: {
      const auto* known = field->enum_type()->FindValueByName(std::string{text});
      return known != nullptr && is_usual(*field->enum_type()) &&
             put_value(*this, &R::SetEnum, &R::AddEnum, known);
    }
    case Field::CPPTYPE_STRING:
      if (field->type() == Field::TYPE_BYTES) return put_bytes(*this, text);
      return put_value(*this, &R::SetString, &R::AddString, std::string{text});
    case Field::CPPTYPE_MESSAGE:
      return json_form(*field->message_type()) == JsonForm::text &&
             read_json_text(text, put_message());
    case Field::CPPTYPE_DOUBLE:
    case Field::CPPTYPE_FLOAT:
      return (text == "NaN" && put_real(*this, std::numeric_limits<double>::quiet_NaN())) ||
             (text == "Infinity" && put_real(*this, HUGE_VAL)) ||
             (text == "-Infinity" && put_real(*this, -HUGE_VAL));
    case Field::CPPTYPE_BOOL:
      break;
  }
  return false;
}

bool JsonPlace::put(std::int64_t number) const {
  return put_whole(*this, number);
}

bool JsonPlace::put(std::uint64_t number) const {
  return put_whole(*this, number);
}

bool JsonPlace::put_fraction(std::string_view digits) const {
  if (message == nullptr) return false;
  double value = 0;
  const auto* end = digits.data() + digits.size();
  const auto [rest, error] = std::from_chars(digits.data(), end, value);
  if (error != std::errc{} || rest != end) return false;
  const auto type = field->cpp_type();
  return (type == Field::CPPTYPE_DOUBLE ||
          (type == Field::CPPTYPE_FLOAT && std::abs(value) <= double{FLT_MAX})) &&
         put_real(*this, value);
}

bool JsonPlace::put(bool value) const {
  return message != nullptr && field->cpp_type() == Field::CPPTYPE_BOOL &&
         put_value(*this, &R::SetBool, &R::AddBool, value);
}

pb::Message& JsonPlace::put_message() const {
  const auto& reflection = *message->GetReflection();
  return field->is_repeated() ? *reflection.AddMessage(message, field)
                              : *reflection.MutableMessage(message, field);
}

}  // namespace troupe::cluster
