#include "cluster/gateway/openapi_schemas.hpp"

#include <boost/json/array.hpp>
#include <string_view>
#include <utility>

namespace troupe::cluster {
namespace {

namespace pb = google::protobuf;
using boost::json::array;
using boost::json::object;
using Field = pb::FieldDescriptor;

object typed(std::string_view type) {
  return object{{"type", type}};
}

object typed(std::string_view type, std::string_view format) {
  return object{{"type", type}, {"format", format}};
}

object whole_64(bool is_signed) {
  object schema = typed("string", is_signed ? "int64" : "uint64");
  schema["pattern"] = is_signed ? "^-?[0-9]+$" : "^[0-9]+$";
  return schema;
}

object or_null(object schema) {
  schema["type"] = array{schema["type"], "null"};
  return schema;
}

object scalar(Field::CppType type, bool bytes) {
  switch (type) {
    case Field::CPPTYPE_INT32:
      return typed("integer", "int32");
    case Field::CPPTYPE_UINT32: {
      object schema = typed("integer");
      schema["minimum"] = 0;
      schema["maximum"] = 4'294'967'295;
      return schema;
    }
    case Field::CPPTYPE_INT64:
      return whole_64(true);
    case Field::CPPTYPE_UINT64:
      return whole_64(false);
    case Field::CPPTYPE_DOUBLE:
    case Field::CPPTYPE_FLOAT:
      // Three values have no number in JSON.
      return object{
          {"anyOf",
           array{typed("number", type == Field::CPPTYPE_DOUBLE ? "double" : "float"),
                 object{{"type", "string"}, {"enum", array{"NaN", "Infinity", "-Infinity"}}}}}};
    case Field::CPPTYPE_BOOL:
      return typed("boolean");
    case Field::CPPTYPE_STRING: {
      object schema = typed("string");
      if (bytes) schema["contentEncoding"] = "base64";
      return schema;
    }
    case Field::CPPTYPE_ENUM:
    case Field::CPPTYPE_MESSAGE:
      break;
  }
  return {};
}

object names_of(const pb::EnumDescriptor& type) {
  array names;
  for (int i = 0; i < type.value_count(); ++i) names.emplace_back(type.value(i)->name());
  return object{{"type", "string"}, {"enum", std::move(names)}};
}

// Types that JSON writes otherwise than as an object of their fields.
bool well_known(const pb::Descriptor& type, object& schema) {
  const std::string& name = type.full_name();
  if (!name.starts_with("google.protobuf.")) return false;
  const std::string_view rest = std::string_view{name}.substr(16);
  if (rest == "Timestamp") {
    schema = typed("string", "date-time");
  } else if (rest == "Duration") {
    schema = typed("string");
    schema["pattern"] = R"(^-?[0-9]+(\.[0-9]{1,9})?s$)";
  } else if (rest == "FieldMask" || rest == "Empty" || rest == "Struct" || rest == "Any") {
    schema = typed(rest == "FieldMask" ? "string" : "object");
    if (rest == "Any") schema["properties"] = object{{"@type", typed("string")}};
  } else if (rest == "Value") {
    schema = {};
  } else if (rest == "ListValue") {
    schema = typed("array");
    schema["items"] = object{};
  } else if (rest.ends_with("Value") && type.field_count() == 1) {
    const Field& value = *type.field(0);
    schema = scalar(value.cpp_type(), value.type() == Field::TYPE_BYTES);
    if (schema.contains("type"))
      schema = or_null(std::move(schema));
    else
      schema["anyOf"].as_array().push_back(typed("null"));
  } else {
    return false;
  }
  return true;
}

}  // namespace

object OpenApiSchemas::of(const pb::Descriptor& type) {
  object schema;
  if (well_known(type, schema)) return schema;
  if (done_.try_emplace(type.full_name()).second) wanted_.push_back(&type);
  schema["$ref"] = "#/components/schemas/" + type.full_name();
  return schema;
}

object OpenApiSchemas::of_one(const Field& field) {
  if (field.cpp_type() == Field::CPPTYPE_MESSAGE) return of(*field.message_type());
  if (field.cpp_type() != Field::CPPTYPE_ENUM)
    return scalar(field.cpp_type(), field.type() == Field::TYPE_BYTES);
  if (field.enum_type()->full_name() == "google.protobuf.NullValue") return typed("null");
  object& schema = done_[field.enum_type()->full_name()];
  if (schema.empty()) {
    schema = names_of(*field.enum_type());
    describe(schema, field.enum_type()->full_name());
  }
  return object{{"$ref", "#/components/schemas/" + field.enum_type()->full_name()}};
}

object OpenApiSchemas::of(const Field& field) {
  object schema;
  if (field.is_map()) {
    schema = typed("object");
    schema["additionalProperties"] = of_one(*field.message_type()->map_value());
  } else if (field.is_repeated()) {
    schema = typed("array");
    schema["items"] = of_one(field);
  } else {
    schema = of_one(field);
  }
  describe(schema, field.full_name());
  return schema;
}

object OpenApiSchemas::without(const pb::Descriptor& type, const std::set<std::string>& left_out) {
  return left_out.empty() ? of(type) : message(type, left_out);
}

object OpenApiSchemas::message(const pb::Descriptor& type, const std::set<std::string>& left_out) {
  object schema = typed("object");
  describe(schema, type.full_name());
  object properties;
  for (int i = 0; i < type.field_count(); ++i) {
    const Field& field = *type.field(i);
    if (!left_out.contains(field.full_name())) properties[field.json_name()] = of(field);
  }
  if (!properties.empty()) schema["properties"] = std::move(properties);
  // Of a oneof at most one member may be there.
  array exclusive;
  for (int i = 0; i < type.real_oneof_decl_count(); ++i) {
    const auto& oneof = *type.oneof_decl(i);
    for (int a = 0; a < oneof.field_count(); ++a)
      for (int b = a + 1; b < oneof.field_count(); ++b)
        exclusive.push_back(
            object{{"required", array{oneof.field(a)->json_name(), oneof.field(b)->json_name()}}});
  }
  if (!exclusive.empty()) schema["not"] = object{{"anyOf", std::move(exclusive)}};
  return schema;
}

void OpenApiSchemas::describe(object& schema, const std::string& full_name) const {
  const std::string_view comment = comments_ ? comments_(full_name) : std::string_view{};
  if (!comment.empty()) schema["description"] = comment;
}

object OpenApiSchemas::components() {
  while (!wanted_.empty()) {
    const pb::Descriptor& type = *wanted_.back();
    wanted_.pop_back();
    done_[type.full_name()] = message(type, {});
  }
  object all;
  for (auto& [name, schema] : done_) all[name] = schema;
  return all;
}

}  // namespace troupe::cluster
