// Service types of the test contracts, as generated code would make them, and a client that keeps
// what it is sent.
#pragma once

#include <deque>
#include <string>

#include "actors/client.hpp"
#include "library.pb.h"
#include "rules.pb.h"

namespace troupe::cluster::tests {

namespace v1 = ::gateway_test::v1;

const actors::ServiceType& library();

// gateway_test.rules.NAME
actors::ServiceType rules_service(const std::string& name);

class FakeClient final : public actors::Client {
 public:
  struct Sent {
    actors::CallBase call;
    actors::CallOptions options;
    actors::ReplyTo reply_to;

    template <class Message>
    Message request() const {
      Message message;
      if (!message.ParseFromString(call.payload)) std::abort();
      return message;
    }
  };

  void send(actors::CallBase call, actors::CallOptions options, actors::ReplyTo reply_to) override {
    sent.push_back({std::move(call), std::move(options), std::move(reply_to)});
  }

  std::deque<Sent> sent;
};

}  // namespace troupe::cluster::tests
