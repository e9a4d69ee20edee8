#include "test_services.hpp"

#include <google/protobuf/descriptor.h>

namespace troupe::cluster::tests {
namespace {

template <class Message, const std::string& (Message::*Field)() const>
Result<std::string> key_of(std::string_view bytes) {
  Message message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return invalid_argument("REQUEST_MALFORMED", "the request does not parse");
  if ((message.*Field)().empty()) return invalid_argument("KEY_MISSING", "the key is empty");
  return (message.*Field)();
}

Result<std::string> find_key(std::string_view bytes) {
  v1::FindRequest message;
  message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
  return message.shelf().room() + "/" + std::to_string(message.shelf().number());
}

}  // namespace

const actors::ServiceType& library() {
  static const actors::ServiceType type{
      "gateway_test.v1.Library",
      "gateway_test",
      actors::ServiceKind::entity,
      {{"Lend", false, false, &key_of<v1::LendRequest, &v1::LendRequest::book>},
       {"Find", true, false, &find_key},
       {"Put", false, false, &key_of<v1::PutRequest, &v1::PutRequest::id>},
       {"Burn", false, false, &key_of<v1::BurnRequest, &v1::BurnRequest::book>},
       {"Whisper", false, false, &key_of<v1::BurnRequest, &v1::BurnRequest::book>}},
      [] { return v1::LendRequest::descriptor()->file()->FindServiceByName("Library"); }};
  return type;
}

actors::ServiceType rules_service(const std::string& name) {
  using gateway_test::rules::Request;
  actors::ServiceType type;
  type.name = "gateway_test.rules." + name;
  type.context = "gateway_test";
  const auto* file = Request::descriptor()->file();
  if (name == "First") {
    type.descriptor = [] { return Request::descriptor()->file()->FindServiceByName("First"); };
  } else if (name == "Second") {
    type.descriptor = [] { return Request::descriptor()->file()->FindServiceByName("Second"); };
  } else {
    type.descriptor = [] { return Request::descriptor()->file()->FindServiceByName("Wrong"); };
  }
  const auto* service = file->FindServiceByName(name);
  for (int i = 0; i < service->method_count(); ++i)
    type.methods.push_back({service->method(i)->name(), true, false, nullptr});
  return type;
}

}  // namespace troupe::cluster::tests
