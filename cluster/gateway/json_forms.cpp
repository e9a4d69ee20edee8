#include "cluster/gateway/json_forms.hpp"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/duration.pb.h>
#include <google/protobuf/field_mask.pb.h>
#include <google/protobuf/timestamp.pb.h>
#include <google/protobuf/util/field_mask_util.h>
#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <array>

namespace troupe::cluster {
namespace {

namespace pb = google::protobuf;
using pb::util::TimeUtil;

constexpr std::int32_t nanos_max = 999'999'999;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}

// "-12.5s"; TimeUtil takes more than that for a duration.
bool looks_like_duration(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  if (!text.ends_with('s')) return false;
  text.remove_suffix(1);
  const auto point = std::min(text.find('.'), text.size());
  const auto whole = text.substr(0, point);
  const auto part = text.substr(std::min(point + 1, text.size()));
  return !whole.empty() && whole.size() <= 12 && std::ranges::all_of(whole, is_digit) &&
         (point == text.size() || !part.empty()) && part.size() <= 9 &&
         std::ranges::all_of(part, is_digit);
}

bool in_range(const pb::Timestamp& time) {
  return time.seconds() >= TimeUtil::kTimestampMinSeconds &&
         time.seconds() <= TimeUtil::kTimestampMaxSeconds && time.nanos() >= 0 &&
         time.nanos() <= nanos_max;
}

bool in_range(const pb::Duration& time) {
  return time.seconds() >= TimeUtil::kDurationMinSeconds &&
         time.seconds() <= TimeUtil::kDurationMaxSeconds && time.nanos() >= -nanos_max &&
         time.nanos() <= nanos_max && (time.seconds() >= 0 || time.nanos() <= 0) &&
         (time.seconds() <= 0 || time.nanos() >= 0);
}

// Words with points between, in which one capital, or "_" in its place, stands before a letter.
// What becomes of others differs between Protobuf's functions.
bool looks_like_path(std::string_view path, bool camel) {
  char before = '.';
  for (const char c : path) {
    const bool joint = camel ? is_upper(c) : c == '_';
    const bool after_joint = camel ? is_upper(before) : before == '_';
    if ((before == '.' || after_joint) && !is_lower(c)) return false;
    if (!joint && c != '.' && !is_lower(c) && !is_digit(c)) return false;
    before = c;
  }
  return before != '.' && before != '_';
}

bool looks_like_paths(std::string_view text) {
  if (text.empty()) return true;
  for (;;) {
    const auto path = text.substr(0, text.find(','));
    if (!looks_like_path(path, true)) return false;
    if (path.size() == text.size()) return true;
    text.remove_prefix(path.size() + 1);
  }
}

}  // namespace

JsonForm json_form(const pb::Descriptor& type) {
  if (type.file()->package() != "google.protobuf") {
    return type.file()->syntax() == pb::FileDescriptor::SYNTAX_PROTO3 &&
                   type.field_count() <= json_fields_max
               ? JsonForm::object
               : JsonForm::other;
  }
  static constexpr std::array<std::string_view, 3> texts{"Timestamp", "Duration", "FieldMask"};
  static constexpr std::array<std::string_view, 9> wrappers{
      "StringValue", "BytesValue",  "BoolValue",   "Int32Value", "Int64Value",
      "UInt32Value", "UInt64Value", "DoubleValue", "FloatValue"};
  if (std::ranges::find(texts, type.name()) != texts.end()) return JsonForm::text;
  if (std::ranges::find(wrappers, type.name()) != wrappers.end()) return JsonForm::wrapper;
  return type.name() == "Empty" ? JsonForm::object : JsonForm::other;
}

bool read_json_text(std::string_view text, pb::Message& message) {
  if (auto* time = pb::DynamicCastToGenerated<pb::Timestamp>(&message))
    return TimeUtil::FromString(std::string{text}, time) && in_range(*time);
  if (auto* time = pb::DynamicCastToGenerated<pb::Duration>(&message))
    return looks_like_duration(text) && TimeUtil::FromString(std::string{text}, time) &&
           in_range(*time);
  if (auto* mask = pb::DynamicCastToGenerated<pb::FieldMask>(&message))
    return looks_like_paths(text) &&
           pb::util::FieldMaskUtil::FromJsonString(pb::StringPiece{text.data(), text.size()}, mask);
  return false;
}

bool append_json_text(std::string& out, const pb::Message& message) {
  if (const auto* time = pb::DynamicCastToGenerated<pb::Timestamp>(&message)) {
    if (!in_range(*time)) return false;
    out += TimeUtil::ToString(*time);
    return true;
  }
  if (const auto* time = pb::DynamicCastToGenerated<pb::Duration>(&message)) {
    if (!in_range(*time)) return false;
    out += TimeUtil::ToString(*time);
    return true;
  }
  const auto* mask = pb::DynamicCastToGenerated<pb::FieldMask>(&message);
  if (mask == nullptr || !std::ranges::all_of(mask->paths(), [](const auto& path) {
        return looks_like_path(path, false);
      }))
    return false;
  std::string text;
  if (!pb::util::FieldMaskUtil::ToJsonString(*mask, &text)) return false;
  out += text;
  return true;
}

}  // namespace troupe::cluster
