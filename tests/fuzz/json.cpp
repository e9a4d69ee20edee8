// JSON to messages and back. What Protobuf's own code takes, ours takes, with equal messages; what
// that refuses, ours refuses; and both write the same JSON for a message.
#include <google/protobuf/stubs/logging.h>
#include <google/protobuf/timestamp.pb.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/type_resolver_util.h>

#include <array>
#include <memory>

#include "cluster/gateway/json.hpp"
#include "library.pb.h"
#include "same_json.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace troupe::cluster;
using troupe::fuzz::require;
namespace v1 = gateway_test::v1;
namespace pb = google::protobuf;

namespace {

const std::array<const pb::Message*, 5>& types() {
  static const std::array<const pb::Message*, 5> prototypes{
      &v1::Sample::default_instance(), &v1::Known::default_instance(),
      &v1::FindRequest::default_instance(), &v1::Loan::default_instance(),
      &pb::Timestamp::default_instance()};
  return prototypes;
}

// The message, or null if both refuse it.
std::unique_ptr<pb::Message> read(const std::string& json, const pb::Message& type) {
  std::unique_ptr<pb::Message> ours{type.New()};
  std::unique_ptr<pb::Message> theirs{type.New()};
  const auto done = json_to_message(json, *ours);
  const auto status = pb::util::JsonStringToMessage(json, theirs.get());
  require(done.has_value() == status.ok(), "both take it, or none",
          done ? std::string{status.message()} : done.error().message);
  if (!done) {
    const auto& reason = done.error().reason;
    require(reason == "JSON_INVALID" || reason == "FIELD_UNKNOWN" || reason == "FIELD_INVALID",
            "the reason is one of those that are documented", reason);
    return nullptr;
  }
  require(serialize_deterministically(*ours) == serialize_deterministically(*theirs),
          "both read the same", ours->DebugString() + "\n" + theirs->DebugString());
  return ours;
}

// Nothing if both cannot write it.
std::string written(const pb::Message& message, bool defaults) {
  const auto ours =
      message_to_json(message, defaults ? JsonFields::with_defaults : JsonFields::present);
  pb::util::JsonPrintOptions options;
  options.always_print_primitive_fields = defaults;
  // Fields in the order of these bytes: maps are sorted.
  static auto* const resolver = pb::util::NewTypeResolverForDescriptorPool(
      "type.googleapis.com", pb::DescriptorPool::generated_pool());
  std::string theirs;
  const auto status =
      pb::util::BinaryToJsonString(resolver, "type.googleapis.com/" + message.GetTypeName(),
                                   serialize_deterministically(message), &theirs, options);
  require(ours.has_value() == status.ok(), "both write it, or none",
          ours ? *ours : ours.error().message);
  if (!ours) return {};
  require(tests::same_json(*ours, theirs), "both write the same JSON", *ours + "\n" + theirs);
  return theirs;
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  pb::SetLogHandler(nullptr);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider input{data, size};
  const auto& type = *input.PickValueInArray(types());
  const bool binary = input.ConsumeBool();
  const auto bytes = input.ConsumeRemainingBytesAsString();
  std::unique_ptr<pb::Message> message;
  if (binary) {
    message.reset(type.New());
    if (!message->ParseFromString(bytes)) return -1;  // not worth keeping
    message->DiscardUnknownFields();
  } else {
    message = read(bytes, type);
  }
  if (message == nullptr) return 0;
  for (const bool defaults : {false, true}) {
    const auto json = written(*message, defaults);
    if (!json.empty()) read(json, type);
  }
  return 0;
}
