#include "cluster/cli/command/json.hpp"

#include <google/protobuf/util/json_util.h>

#include <stdexcept>

namespace troupe::cluster {

std::string to_json(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.always_print_primitive_fields = true;
  std::string text;
  // Fails for messages that hold Any or Timestamp out of range only; ours hold neither.
  const auto status = google::protobuf::util::MessageToJsonString(message, &text, options);
  if (!status.ok()) throw std::logic_error{std::string{status.message().as_string()}};
  return text;
}

}  // namespace troupe::cluster
