#include "actors/encoding.hpp"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/stubs/common.h>
#include <google/protobuf/wire_format_lite.h>

#include <limits>
#include <stdexcept>

namespace troupe::actors {
namespace {

namespace pb = google::protobuf;
using Wire = pb::internal::WireFormatLite;

// Protobuf counts bytes in int.
bool fits(std::string_view bytes) {
  return bytes.size() <= static_cast<std::size_t>(std::numeric_limits<int>::max());
}

std::string method_name(const ServiceType& service, std::size_t method) {
  return service.name + "." +
         (method < service.methods.size() ? service.methods[method].name : std::to_string(method));
}

}  // namespace

std::string encode(const pb::MessageLite& message) {
  return message.SerializeAsString();
}

std::string encode_deterministic(const pb::MessageLite& message) {
  std::string bytes(message.ByteSizeLong(), '\0');
  pb::io::ArrayOutputStream stream{bytes.data(), static_cast<int>(bytes.size())};
  pb::io::CodedOutputStream coded{&stream};
  coded.SetSerializationDeterministic(true);
  message.SerializeWithCachedSizes(&coded);
  coded.Trim();
  return bytes;
}

std::string encode_member(int field_number, std::string_view member) {
  const auto tag = Wire::MakeTag(field_number, Wire::WIRETYPE_LENGTH_DELIMITED);
  const auto size = static_cast<std::uint32_t>(member.size());
  std::string bytes(
      pb::io::CodedOutputStream::VarintSize32(tag) + pb::io::CodedOutputStream::VarintSize32(size),
      '\0');
  auto* at = reinterpret_cast<std::uint8_t*>(bytes.data());
  at = pb::io::CodedOutputStream::WriteVarint32ToArray(tag, at);
  pb::io::CodedOutputStream::WriteVarint32ToArray(size, at);
  bytes += member;
  return bytes;
}

bool decode(std::string_view bytes, pb::MessageLite& message) {
  return fits(bytes) && message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

Result<std::string> find_key(std::string_view request, int field_number, std::string_view field) {
  const auto wrong = [](const char* reason, std::string message) {
    return invalid_argument(reason, std::move(message));
  };
  const auto malformed = [&] {
    return wrong("REQUEST_MALFORMED", "the request is not the Protobuf message of its contract");
  };
  if (!fits(request)) return malformed();

  pb::io::CodedInputStream input{reinterpret_cast<const std::uint8_t*>(request.data()),
                                 static_cast<int>(request.size())};
  const auto wanted = Wire::MakeTag(field_number, Wire::WIRETYPE_LENGTH_DELIMITED);
  std::string key;
  while (const auto tag = input.ReadTag()) {
    const bool read = tag == wanted ? Wire::ReadBytes(&input, &key)  // the last one counts
                                    : Wire::SkipField(&input, tag);
    if (!read) return malformed();
  }
  if (!input.ConsumedEntireMessage()) return malformed();

  const auto name = "the field \"" + std::string{field} + "\"";
  if (key.empty())
    return wrong("KEY_MISSING", name + " is empty; it names whom the request is for");
  if (key.size() > key_bytes_max)
    return wrong("KEY_TOO_LONG", name + " has " + std::to_string(key.size()) +
                                     " bytes; a key has at most " + std::to_string(key_bytes_max));
  if (!pb::internal::IsStructurallyValidUTF8(key.data(), static_cast<int>(key.size())))
    return wrong("KEY_NOT_UTF8", name + " is not UTF-8 text");
  return key;
}

Entity::Outcome malformed_request(const ServiceType& service, std::size_t method) {
  return {invalid_argument("REQUEST_MALFORMED", "the request is not the Protobuf message that " +
                                                    method_name(service, method) + " takes"),
          {},
          false};
}

Entity::Outcome unknown_method(const ServiceType& service, std::size_t method) {
  return {unimplemented("METHOD_UNKNOWN", service.name + " has no method number " +
                                              std::to_string(method) +
                                              "; caller and service come from two contracts"),
          {},
          false};
}

void throw_unreadable_event(const ServiceType& service, std::uint64_t sequence) {
  throw std::runtime_error("event " + std::to_string(sequence) + " of an entity of " +
                           service.name +
                           " does not parse as the contract's event message: a stored field's "
                           "type or number was changed");
}

}  // namespace troupe::actors
