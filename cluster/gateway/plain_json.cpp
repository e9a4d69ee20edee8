#include "cluster/gateway/plain_json.hpp"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstdint>
#include <vector>

namespace troupe::cluster {
namespace {

namespace pb = google::protobuf;
using Field = pb::FieldDescriptor;

// Far from what Protobuf allows.
constexpr int depth_max = 16;
// Fields that were read are bits of a number.
constexpr int fields_max = 64;

bool is_plain(const pb::Descriptor& type) {
  return type.file()->syntax() == pb::FileDescriptor::SYNTAX_PROTO3 &&
         type.field_count() <= fields_max && type.file()->package() != "google.protobuf";
}

// Written as it is. Protobuf escapes < and >, too.
bool is_plain(char c) {
  return c >= ' ' && c <= '~' && c != '"' && c != '\\' && c != '<' && c != '>';
}

class PlainReader {
 public:
  explicit PlainReader(std::string_view json) : rest_{json} {}

  bool whole(pb::Message& message) {
    if (!object(message, 0)) return false;
    skip_space();
    return rest_.empty();
  }

 private:
  void skip_space() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size()));
  }

  bool take(char wanted) {
    skip_space();
    if (!rest_.starts_with(wanted)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool take_word(std::string_view wanted) {
    skip_space();
    if (!rest_.starts_with(wanted)) return false;
    rest_.remove_prefix(wanted.size());
    return true;
  }

  // Without its quotes.
  std::optional<std::string_view> text() {
    if (!take('"')) return std::nullopt;
    const auto end = std::ranges::find_if_not(rest_, [](char c) { return is_plain(c); });
    if (end == rest_.end() || *end != '"') return std::nullopt;
    const auto found = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
    rest_.remove_prefix(found.size() + 1);
    return found;
  }

  // In quotes or without; with neither a fraction nor an exponent.
  template <class Number>
  std::optional<Number> number() {
    const bool quoted = take('"');
    Number value{};
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    const auto digits = rest_.substr(0, static_cast<std::size_t>(end - rest_.data()));
    if (error != std::errc{} || (digits.starts_with('0') && digits != "0") ||
        digits.starts_with("-0"))
      return std::nullopt;
    rest_.remove_prefix(digits.size());
    if (quoted) {
      if (!rest_.starts_with('"')) return std::nullopt;
      rest_.remove_prefix(1);
    } else if (rest_.empty() ||
               std::string_view{",]} \t\r\n"}.find(rest_.front()) == std::string_view::npos) {
      return std::nullopt;
    }
    return value;
  }

  bool object(pb::Message& message, int depth) {
    const auto& type = *message.GetDescriptor();
    if (depth > depth_max || !is_plain(type) || !take('{')) return false;
    if (take('}')) return true;
    std::uint64_t seen = 0;
    do {
      const auto name = text();
      const auto* field = name ? find(type, *name) : nullptr;
      if (field == nullptr || !take(':')) return false;
      const auto bit = std::uint64_t{1} << field->index();
      const auto* choice = field->containing_oneof();
      if ((seen & bit) != 0 ||
          (choice != nullptr && message.GetReflection()->HasOneof(message, choice)))
        return false;
      seen |= bit;
      if (!(field->is_repeated() ? list(message, *field, depth) : value(message, *field, depth)))
        return false;
    } while (take(','));
    return take('}');
  }

  static const Field* find(const pb::Descriptor& type, std::string_view name) {
    for (int i = 0; i < type.field_count(); ++i)
      if (type.field(i)->json_name() == name) return type.field(i);
    for (int i = 0; i < type.field_count(); ++i)
      if (type.field(i)->name() == name) return type.field(i);
    return nullptr;
  }

  bool list(pb::Message& message, const Field& field, int depth) {
    if (field.is_map() || !take('[')) return false;
    if (take(']')) return true;
    do {
      if (!value(message, field, depth)) return false;
    } while (take(','));
    return take(']');
  }

  template <class Number>
  bool write_number(pb::Message& message, const Field& field,
                    void (pb::Reflection::*set)(pb::Message*, const Field*, Number) const,
                    void (pb::Reflection::*add)(pb::Message*, const Field*, Number) const) {
    const auto value = number<Number>();
    if (!value) return false;
    (message.GetReflection()->*(field.is_repeated() ? add : set))(&message, &field, *value);
    return true;
  }

  // Sets the field, or adds to it if it is repeated.
  bool value(pb::Message& message, const Field& field, int depth) {
    using R = pb::Reflection;
    const auto& reflection = *message.GetReflection();
    const bool add = field.is_repeated();
    switch (field.cpp_type()) {
      case Field::CPPTYPE_INT32:
        return write_number(message, field, &R::SetInt32, &R::AddInt32);
      case Field::CPPTYPE_INT64:
        return write_number(message, field, &R::SetInt64, &R::AddInt64);
      case Field::CPPTYPE_UINT32:
        return write_number(message, field, &R::SetUInt32, &R::AddUInt32);
      case Field::CPPTYPE_UINT64:
        return write_number(message, field, &R::SetUInt64, &R::AddUInt64);
      case Field::CPPTYPE_BOOL: {
        const bool is_true = take_word("true");
        if (!is_true && !take_word("false")) return false;
        add ? reflection.AddBool(&message, &field, is_true)
            : reflection.SetBool(&message, &field, is_true);
        return true;
      }
      case Field::CPPTYPE_ENUM: {
        const auto name = text();
        const auto* found = name ? field.enum_type()->FindValueByName(std::string{*name}) : nullptr;
        if (found == nullptr || found->file()->package() == "google.protobuf") return false;
        add ? reflection.AddEnum(&message, &field, found)
            : reflection.SetEnum(&message, &field, found);
        return true;
      }
      case Field::CPPTYPE_STRING: {
        const auto read = field.type() == Field::TYPE_STRING ? text() : std::nullopt;
        if (!read) return false;
        add ? reflection.AddString(&message, &field, std::string{*read})
            : reflection.SetString(&message, &field, std::string{*read});
        return true;
      }
      case Field::CPPTYPE_MESSAGE:
        return object(add ? *reflection.AddMessage(&message, &field)
                          : *reflection.MutableMessage(&message, &field),
                      depth + 1);
      case Field::CPPTYPE_DOUBLE:
      case Field::CPPTYPE_FLOAT:
        break;
    }
    return false;
  }

  std::string_view rest_;
};

class PlainWriter {
 public:
  explicit PlainWriter(bool defaults) : defaults_{defaults} {}

  bool object(const pb::Message& message, int depth) {
    const auto& type = *message.GetDescriptor();
    if (depth > depth_max || !is_plain(type)) return false;
    const auto& reflection = *message.GetReflection();
    out += '{';
    const auto begin = out.size();
    const auto write = [&](const Field& field) {
      if (out.size() > begin) out += ',';
      out += '"';
      out += field.json_name();
      out += "\":";
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

  std::string out;

 private:
  bool list(const pb::Message& message, const Field& field, int depth) {
    const auto size = message.GetReflection()->FieldSize(message, &field);
    if (field.is_map()) {
      out += "{}";
      return size == 0;
    }
    out += '[';
    for (int i = 0; i < size; ++i) {
      if (i > 0) out += ',';
      if (!value(message, field, i, depth)) return false;
    }
    out += ']';
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

  bool text(const std::string& text) {
    if (!std::ranges::all_of(text, [](char c) { return is_plain(c); })) return false;
    out += '"';
    out += text;
    out += '"';
    return true;
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
      case Field::CPPTYPE_ENUM: {
        const auto number =
            one ? r.GetEnumValue(message, &field) : r.GetRepeatedEnumValue(message, &field, at);
        const auto& type = *field.enum_type();
        const auto* known = type.FindValueByNumber(number);
        if (known == nullptr || type.file()->package() == "google.protobuf") return false;
        return text(known->name());
      }
      case Field::CPPTYPE_STRING: {
        std::string scratch;
        const auto& bytes = one ? r.GetStringReference(message, &field, &scratch)
                                : r.GetRepeatedStringReference(message, &field, at, &scratch);
        return (field.type() == Field::TYPE_STRING || bytes.empty()) && text(bytes);
      }
      case Field::CPPTYPE_MESSAGE:
        return object(
            one ? r.GetMessage(message, &field) : r.GetRepeatedMessage(message, &field, at),
            depth + 1);
      case Field::CPPTYPE_DOUBLE:
        out += '0';
        return one && std::bit_cast<std::uint64_t>(r.GetDouble(message, &field)) == 0;
      case Field::CPPTYPE_FLOAT:
        out += '0';
        return one && std::bit_cast<std::uint32_t>(r.GetFloat(message, &field)) == 0;
    }
    return false;
  }

  const bool defaults_;
};

}  // namespace

bool read_plain_json(std::string_view json, pb::Message& message) {
  message.Clear();
  return PlainReader{json}.whole(message);
}

std::optional<std::string> write_plain_json(const pb::Message& message, bool defaults) {
  PlainWriter writer{defaults};
  if (!writer.object(message, 0)) return std::nullopt;
  return std::move(writer.out);
}

}  // namespace troupe::cluster
