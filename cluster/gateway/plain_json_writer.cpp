#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/stubs/strutil.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <vector>

#include "cluster/gateway/http/json_string.hpp"
#include "cluster/gateway/json_forms.hpp"
#include "cluster/gateway/plain_json.hpp"

namespace troupe::cluster {
namespace {

namespace pb = google::protobuf;
using Field = pb::FieldDescriptor;

// Written as it is.
bool needs_no_escape(char c) {
  return c >= ' ' && c <= '~' && c != '"' && c != '\\';
}

class PlainWriter {
 public:
  explicit PlainWriter(bool defaults) : defaults_{defaults} {}

  bool whole(const pb::Message& message, int depth) {
    const auto& type = *message.GetDescriptor();
    switch (json_form(type)) {
      case JsonForm::object:
        return depth <= json_depth_max && object(message, depth);
      case JsonForm::text: {
        out += '"';
        const bool done = append_json_text(out, message);
        out += '"';
        return done;
      }
      case JsonForm::wrapper:
        return value(message, *type.field(0), -1, depth);
      case JsonForm::other:
        break;
    }
    return false;
  }

  std::string out;

 private:
  bool object(const pb::Message& message, int depth) {
    const auto& type = *message.GetDescriptor();
    const auto& reflection = *message.GetReflection();
    out += '{';
    const auto begin = out.size();
    const auto write = [&](const Field& field) {
      if (out.size() > begin) out += ',';
      out += '"';
      out += field.json_name();
      out += "\":";
      if (field.is_map()) return map(message, field, depth);
      return field.is_repeated() ? list(message, field, depth) : value(message, field, -1, depth);
    };
    // Protobuf's order: with defaults, fields as they are declared and the members of oneofs behind
    // them; otherwise all by their numbers.
    std::vector<const Field*> by_number;
    if (!defaults_ || type.oneof_decl_count() > 0) reflection.ListFields(message, &by_number);
    for (int i = 0; defaults_ && i < type.field_count(); ++i) {
      const auto& field = *type.field(i);
      if (field.containing_oneof() != nullptr) continue;
      if (field.has_presence() && !reflection.HasField(message, &field)) continue;
      if (!write(field)) return false;
    }
    for (const auto* field : by_number) {
      if (defaults_ && field->containing_oneof() == nullptr) continue;
      if (!write(*field)) return false;
    }
    out += '}';
    return true;
  }

  bool list(const pb::Message& message, const Field& field, int depth) {
    const auto size = message.GetReflection()->FieldSize(message, &field);
    out += '[';
    for (int i = 0; i < size; ++i) {
      if (i > 0) out += ',';
      if (!value(message, field, i, depth)) return false;
    }
    out += ']';
    return true;
  }

  static bool is_before(const pb::Message& a, const pb::Message& b, const Field& key) {
    const auto& r = *a.GetReflection();
    switch (key.cpp_type()) {
      case Field::CPPTYPE_INT32:
        return r.GetInt32(a, &key) < r.GetInt32(b, &key);
      case Field::CPPTYPE_INT64:
        return r.GetInt64(a, &key) < r.GetInt64(b, &key);
      case Field::CPPTYPE_UINT32:
        return r.GetUInt32(a, &key) < r.GetUInt32(b, &key);
      case Field::CPPTYPE_UINT64:
        return r.GetUInt64(a, &key) < r.GetUInt64(b, &key);
      case Field::CPPTYPE_BOOL:
        return !r.GetBool(a, &key) && r.GetBool(b, &key);
      default: {
        std::string scratch_a;
        std::string scratch_b;
        return r.GetStringReference(a, &key, &scratch_a) <
               r.GetStringReference(b, &key, &scratch_b);
      }
    }
  }

  // In the order of the keys: the same JSON for the same message in every process.
  bool map(const pb::Message& message, const Field& field, int depth) {
    const auto& reflection = *message.GetReflection();
    const auto& key = *field.message_type()->map_key();
    std::vector<const pb::Message*> entries;
    for (int i = 0; i < reflection.FieldSize(message, &field); ++i)
      entries.push_back(&reflection.GetRepeatedMessage(message, &field, i));
    std::ranges::sort(entries,
                      [&](const auto* a, const auto* b) { return is_before(*a, *b, key); });
    out += '{';
    const auto begin = out.size();
    for (const auto* entry : entries) {
      if (out.size() > begin) out += ',';
      // Those that are no text, and not written as one, become one here.
      const auto at = out.size();
      if (!value(*entry, key, -1, depth)) return false;
      if (out[at] != '"') {
        out.insert(at, 1, '"');
        out += '"';
      }
      out += ':';
      if (!value(*entry, *field.message_type()->map_value(), -1, depth)) return false;
    }
    out += '}';
    return true;
  }

  template <class Number>
  bool number(Number value) {
    char digits[24];
    out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
    return true;
  }

  template <class Number>
  bool quoted_number(Number value) {
    out += '"';
    number(value);
    out += '"';
    return true;
  }

  bool fraction(double value, const std::string& digits) {
    if (std::isfinite(value)) {
      out += digits;
    } else {
      out += std::isnan(value) ? "\"NaN\"" : value > 0 ? "\"Infinity\"" : "\"-Infinity\"";
    }
    return true;
  }

  bool text(const std::string& text) {
    if (!std::ranges::all_of(text, needs_no_escape)) {
      append_json_string(out, text);
      return true;
    }
    out += '"';
    out += text;
    out += '"';
    return true;
  }

  bool bytes(const std::string& bytes) {
    std::string coded;
    pb::Base64Escape({bytes.data(), bytes.size()}, &coded);
    out += '"';
    out += coded;
    out += '"';
    return true;
  }

  bool enumerator(const Field& field, int number) {
    const auto& type = *field.enum_type();
    if (type.file()->package() == "google.protobuf") return false;
    const auto* known = type.FindValueByNumber(number);
    return known != nullptr ? text(known->name()) : this->number(number);
  }

  // Of a repeated field: the one at `at`.
  bool value(const pb::Message& message, const Field& field, int at, int depth) {
    const auto& r = *message.GetReflection();
    const bool one = at < 0;
    switch (field.cpp_type()) {
      case Field::CPPTYPE_INT32:
        return number(one ? r.GetInt32(message, &field) : r.GetRepeatedInt32(message, &field, at));
      case Field::CPPTYPE_UINT32:
        return number(one ? r.GetUInt32(message, &field)
                          : r.GetRepeatedUInt32(message, &field, at));
      case Field::CPPTYPE_INT64:
        return quoted_number(one ? r.GetInt64(message, &field)
                                 : r.GetRepeatedInt64(message, &field, at));
      case Field::CPPTYPE_UINT64:
        return quoted_number(one ? r.GetUInt64(message, &field)
                                 : r.GetRepeatedUInt64(message, &field, at));
      case Field::CPPTYPE_BOOL:
        out += (one ? r.GetBool(message, &field) : r.GetRepeatedBool(message, &field, at))
                   ? "true"
                   : "false";
        return true;
      case Field::CPPTYPE_ENUM:
        return enumerator(field, one ? r.GetEnumValue(message, &field)
                                     : r.GetRepeatedEnumValue(message, &field, at));
      case Field::CPPTYPE_STRING: {
        std::string scratch;
        const auto& found = one ? r.GetStringReference(message, &field, &scratch)
                                : r.GetRepeatedStringReference(message, &field, at, &scratch);
        return field.type() == Field::TYPE_STRING ? text(found) : bytes(found);
      }
      case Field::CPPTYPE_MESSAGE:
        return whole(
            one ? r.GetMessage(message, &field) : r.GetRepeatedMessage(message, &field, at),
            depth + 1);
      case Field::CPPTYPE_DOUBLE: {
        const double found =
            one ? r.GetDouble(message, &field) : r.GetRepeatedDouble(message, &field, at);
        return fraction(found, pb::SimpleDtoa(found));
      }
      case Field::CPPTYPE_FLOAT: {
        const float found =
            one ? r.GetFloat(message, &field) : r.GetRepeatedFloat(message, &field, at);
        return fraction(double{found}, pb::SimpleFtoa(found));
      }
    }
    return false;
  }

  const bool defaults_;
};

}  // namespace

std::optional<std::string> write_plain_json(const pb::Message& message, bool defaults) {
  PlainWriter writer{defaults};
  if (!writer.whole(message, 0)) return std::nullopt;
  return std::move(writer.out);
}

}  // namespace troupe::cluster
