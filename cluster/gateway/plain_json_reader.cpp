#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <array>
#include <boost/json/basic_parser_impl.hpp>
#include <cstdint>
#include <unordered_set>
#include <utility>
#include <vector>

#include "cluster/gateway/json_forms.hpp"
#include "cluster/gateway/json_place.hpp"
#include "cluster/gateway/plain_json.hpp"

namespace troupe::cluster {
namespace {

namespace pb = google::protobuf;
using Field = pb::FieldDescriptor;
using boost::json::error_code;

// Boost.JSON's handler. Its functions are told what comes, in order; the first that declines ends
// it.
class PlainReader {
 public:
  explicit PlainReader(pb::Message& message) : root_{message} {}

  static constexpr std::size_t max_array_size = SIZE_MAX;
  static constexpr std::size_t max_object_size = SIZE_MAX;
  static constexpr std::size_t max_string_size = SIZE_MAX;
  static constexpr std::size_t max_key_size = SIZE_MAX;

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }

  bool on_object_begin(error_code& why) { return taken(begin_object(), why); }
  bool on_object_end(std::size_t, error_code&) {
    if (top().kind == Level::Kind::map) maps_.pop_back();
    --depth_;
    return true;
  }
  bool on_array_begin(error_code& why) { return taken(begin_list(), why); }
  bool on_array_end(std::size_t, error_code&) {
    --depth_;
    return true;
  }

  bool on_key_part(boost::json::string_view part, std::size_t, error_code&) { return keep(part); }
  bool on_key(boost::json::string_view last, std::size_t, error_code& why) {
    const auto name = whole(last);
    return taken(top().kind == Level::Kind::map ? entry(name) : member(name), why);
  }
  bool on_string_part(boost::json::string_view part, std::size_t, error_code&) {
    return keep(part);
  }
  bool on_string(boost::json::string_view last, std::size_t, error_code& why) {
    return taken(text(whole(last)), why);
  }

  // The parser has the whole document, so numbers come whole.
  bool on_number_part(boost::json::string_view, error_code& why) { return taken(false, why); }
  bool on_int64(std::int64_t value, boost::json::string_view as, error_code& why) {
    return taken(!(value == 0 && as.starts_with('-')) && place().put(value), why);
  }
  bool on_uint64(std::uint64_t value, boost::json::string_view, error_code& why) {
    return taken(place().put(value), why);
  }
  bool on_double(double, boost::json::string_view as, error_code& why) {
    return taken(place().put_fraction({as.data(), as.size()}), why);
  }
  bool on_bool(bool value, error_code& why) { return taken(place().put(value), why); }
  bool on_null(error_code& why) { return taken(nothing(), why); }
  bool on_comment_part(boost::json::string_view, error_code&) { return true; }
  bool on_comment(boost::json::string_view, error_code&) { return true; }

 private:
  // An object, list or map that has begun and not ended. What comes next is the value of `field` of
  // `message`, added if the level is a list.
  struct Level {
    enum class Kind : std::uint8_t { object, list, map };
    Kind kind = Kind::object;
    pb::Message* message = nullptr;  // of a map: its newest entry
    const Field* field = nullptr;
    std::uint64_t seen = 0;        // of an object: fields that were given, by index
    pb::Message* owner = nullptr;  // of a map: the message that has it ...
    const Field* map = nullptr;    // ... and as which field
  };
  static bool taken(bool it_is, error_code& why) {
    if (!it_is) why = boost::json::error::syntax;  // which one does not matter
    return it_is;
  }

  Level& top() { return levels_[static_cast<std::size_t>(depth_ - 1)]; }
  bool push(Level level) {
    if (depth_ > json_depth_max) return false;
    levels_[static_cast<std::size_t>(depth_++)] = level;
    return true;
  }

  // Text with escapes comes in parts.
  bool keep(boost::json::string_view part) {
    parts_.append(part.data(), part.size());
    in_parts_ = true;
    return true;
  }
  std::string_view whole(boost::json::string_view last) {
    if (!std::exchange(in_parts_, false)) return {last.data(), last.size()};
    whole_ = std::exchange(parts_, {});
    whole_.append(last.data(), last.size());
    return whole_;
  }

  static const Field* find(const pb::Descriptor& type, std::string_view name) {
    for (int i = 0; i < type.field_count(); ++i)
      if (type.field(i)->json_name() == name) return type.field(i);
    for (int i = 0; i < type.field_count(); ++i)
      if (type.field(i)->name() == name) return type.field(i);
    return nullptr;
  }

  bool member(std::string_view name) {
    Level& level = top();
    const auto* field = find(*level.message->GetDescriptor(), name);
    if (field == nullptr) return false;
    const auto bit = std::uint64_t{1} << field->index();
    const auto* choice = field->containing_oneof();
    if ((level.seen & bit) != 0 ||
        (choice != nullptr && level.message->GetReflection()->HasOneof(*level.message, choice)))
      return false;
    level.seen |= bit;
    level.field = field;
    return true;
  }

  bool entry(std::string_view name) {
    Level& level = top();
    if (!maps_.back().emplace(name).second) return false;
    level.message = level.owner->GetReflection()->AddMessage(level.owner, level.map);
    const JsonPlace key{level.message, level.map->message_type()->map_key()};
    if (key.field->cpp_type() != Field::CPPTYPE_BOOL) return key.put(name);
    return (name == "true" || name == "false") && key.put(name == "true");
  }

  bool begin_object() {
    if (depth_ == 0)
      return json_form(*root_.GetDescriptor()) == JsonForm::object && push({.message = &root_});
    const Level& level = top();
    if (level.field->is_map() && level.kind == Level::Kind::object) {
      maps_.emplace_back();
      return push({.kind = Level::Kind::map,
                   .field = level.field->message_type()->map_value(),
                   .owner = level.message,
                   .map = level.field});
    }
    if (level.field->cpp_type() != Field::CPPTYPE_MESSAGE ||
        (level.field->is_repeated() && level.kind != Level::Kind::list) ||
        json_form(*level.field->message_type()) != JsonForm::object)
      return false;
    return push({.message = &JsonPlace{level.message, level.field}.put_message()});
  }

  bool begin_list() {
    if (depth_ == 0) return false;
    const Level& level = top();
    if (!level.field->is_repeated() || level.field->is_map() || level.kind == Level::Kind::list)
      return false;
    return push({.kind = Level::Kind::list, .message = level.message, .field = level.field});
  }

  // Where a value goes that is no object or list: into the one field of a wrapper, too. Null: such
  // a value does not belong there.
  JsonPlace place() {
    JsonPlace place;
    if (depth_ == 0) {
      if (json_form(*root_.GetDescriptor()) == JsonForm::wrapper)
        place = {&root_, root_.GetDescriptor()->field(0)};
      return place;
    }
    const Level& level = top();
    if (level.field->is_repeated() && level.kind != Level::Kind::list) return place;
    place = {level.message, level.field};
    if (level.field->cpp_type() == Field::CPPTYPE_MESSAGE &&
        json_form(*level.field->message_type()) == JsonForm::wrapper) {
      place.message = &place.put_message();
      place.field = place.message->GetDescriptor()->field(0);
    }
    return place;
  }

  bool text(std::string_view text) {
    if (depth_ == 0 && json_form(*root_.GetDescriptor()) == JsonForm::text)
      return read_json_text(text, root_);
    return place().put(text);
  }

  // As if the field were not there; but not where it may be one of several, or a value itself.
  bool nothing() {
    if (depth_ == 0 || top().kind != Level::Kind::object) return false;
    const Field& field = *top().field;
    if (field.real_containing_oneof() != nullptr || field.is_repeated()) return false;
    if (field.cpp_type() == Field::CPPTYPE_MESSAGE)
      return json_form(*field.message_type()) != JsonForm::other;
    return field.cpp_type() != Field::CPPTYPE_ENUM ||
           field.enum_type()->file()->package() != "google.protobuf";
  }

  pb::Message& root_;
  std::array<Level, json_depth_max + 1> levels_;
  int depth_ = 0;
  std::vector<std::unordered_set<std::string>> maps_;  // names in those that have begun
  std::string parts_;
  std::string whole_;
  bool in_parts_ = false;
};

}  // namespace

bool read_plain_json(std::string_view json, pb::Message& message) {
  message.Clear();
  boost::json::basic_parser<PlainReader> parser{boost::json::parse_options{}, message};
  error_code why;
  return parser.write_some(false, json.data(), json.size(), why) == json.size() && !why;
}

}  // namespace troupe::cluster
