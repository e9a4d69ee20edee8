#include "cluster/gateway/json.hpp"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/message.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/type_resolver_util.h>

#include <memory>
#include <vector>

#include "cluster/gateway/json_errors.hpp"
#include "cluster/gateway/plain_json.hpp"

namespace troupe::cluster {
namespace {

namespace pb = google::protobuf;

pb::util::TypeResolver* resolver() {
  static const std::unique_ptr<pb::util::TypeResolver> compiled_in{
      pb::util::NewTypeResolverForDescriptorPool("type.googleapis.com",
                                                 pb::DescriptorPool::generated_pool())};
  return compiled_in.get();
}

pb::util::JsonPrintOptions print_options(bool defaults) {
  pb::util::JsonPrintOptions options;
  options.always_print_primitive_fields = defaults;
  return options;
}

Result<std::string> print(const pb::Descriptor& type, const std::string& bytes, bool defaults) {
  std::string json;
  const auto status = pb::util::BinaryToJsonString(
      resolver(), "type.googleapis.com/" + type.full_name(), bytes, &json, print_options(defaults));
  if (!status.ok()) {
    return internal("REPLY_MALFORMED", "a " + type.full_name() +
                                           " has no JSON form: " + std::string{status.message()});
  }
  return json;
}

// How JSON writes the value that a plain field has by default.
std::string default_json(const pb::FieldDescriptor& field) {
  if (field.is_map()) return "{}";
  if (field.is_repeated()) return "[]";
  switch (field.cpp_type()) {
    case pb::FieldDescriptor::CPPTYPE_INT64:
    case pb::FieldDescriptor::CPPTYPE_UINT64:
      return "\"0\"";
    case pb::FieldDescriptor::CPPTYPE_INT32:
    case pb::FieldDescriptor::CPPTYPE_UINT32:
    case pb::FieldDescriptor::CPPTYPE_DOUBLE:
    case pb::FieldDescriptor::CPPTYPE_FLOAT:
      return "0";
    case pb::FieldDescriptor::CPPTYPE_BOOL:
      return "false";
    case pb::FieldDescriptor::CPPTYPE_ENUM:
      return '"' + field.default_value_enum()->name() + '"';
    case pb::FieldDescriptor::CPPTYPE_STRING:
      return "\"\"";
    case pb::FieldDescriptor::CPPTYPE_MESSAGE:
      break;
  }
  return "null";
}

bool present(const pb::Message& message, const pb::FieldDescriptor& field) {
  const auto& reflection = *message.GetReflection();
  return field.is_repeated() ? reflection.FieldSize(message, &field) > 0
                             : reflection.HasField(message, &field);
}

}  // namespace

std::string serialize_deterministically(const pb::Message& message) {
  std::string bytes;
  bytes.reserve(message.ByteSizeLong());
  pb::io::StringOutputStream stream{&bytes};
  pb::io::CodedOutputStream coded{&stream};
  coded.SetSerializationDeterministic(true);
  message.SerializePartialToCodedStream(&coded);
  coded.Trim();
  return bytes;
}

Result<void> json_to_message(std::string_view json, pb::Message& message,
                             const std::string& prefix) {
  if (read_plain_json(json, message)) return {};
  const auto status = pb::util::JsonStringToMessage({json.data(), json.size()}, &message);
  if (status.ok()) return {};
  return json_error({status.message().data(), status.message().size()}, prefix);
}

Result<std::string> message_to_json(const pb::Message& message, JsonFields fields) {
  const bool defaults = fields == JsonFields::with_defaults;
  if (auto plain = write_plain_json(message, defaults)) return std::move(*plain);
  return print(*message.GetDescriptor(), serialize_deterministically(message), defaults);
}

Result<std::string> field_to_json(const pb::Message& message, const pb::FieldDescriptor& field) {
  if (!present(message, field)) return default_json(field);
  const auto& reflection = *message.GetReflection();
  const bool is_message = field.cpp_type() == pb::FieldDescriptor::CPPTYPE_MESSAGE;
  if (is_message && !field.is_repeated())
    return message_to_json(reflection.GetMessage(message, &field));
  if (is_message && !field.is_map()) {
    std::string json{"["};
    for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
      TROUPE_TRY(item, message_to_json(reflection.GetRepeatedMessage(message, &field, i)));
      if (i > 0) json += ',';
      json += item;
    }
    return json + ']';
  }
  // The whole of a message that has nothing else is {"name":VALUE}.
  const std::unique_ptr<pb::Message> alone{message.New()};
  alone->CopyFrom(message);
  std::vector<const pb::FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const auto* other : fields) {
    if (other != &field) reflection.ClearField(alone.get(), other);
  }
  TROUPE_TRY(json, message_to_json(*alone, JsonFields::present));
  const auto begin = json.find(':') + 1;
  return json.substr(begin, json.size() - begin - 1);
}

}  // namespace troupe::cluster
