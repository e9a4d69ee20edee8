// A gateway before a client that a test answers for.
#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "cluster/gateway/gateway.hpp"
#include "http_fixture.hpp"
#include "memory_platform.hpp"
#include "test_response.hpp"
#include "test_services.hpp"

namespace troupe::cluster::tests {

struct GatewayFixture {
  GatewayFixture() {
    GatewayOptions options;
    options.listen = {"127.0.0.1", 0};
    options.call_timeout = std::chrono::seconds{7};
    auto started = Gateway::start(platform, client, {&library()}, options);
    REQUIRE(started);
    gateway = std::move(*started);
    http.emplace(platform, gateway->local());
  }

  // Sends a request whose call is then the last one that the client holds.
  FakeClient::Sent& send(const std::string& bytes) {
    http->send(bytes);
    REQUIRE(client.sent.size() == 1);
    return client.sent.front();
  }

  // Sends a request that is answered without a call.
  Received ask(const std::string& bytes) {
    http->send(bytes);
    CHECK(client.sent.empty());
    return response(http->take());
  }

  Received reply(Result<actors::Reply> reply) {
    REQUIRE_FALSE(client.sent.empty());
    const auto sent = std::move(client.sent.front());
    client.sent.pop_front();
    sent.reply_to(std::move(reply));
    return response(http->take());
  }

  Received reply(const google::protobuf::Message& message) {
    return reply(actors::Reply{message.SerializeAsString(), 1, false});
  }

  MemoryPlatform platform;
  FakeClient client;
  std::unique_ptr<Gateway> gateway;
  std::optional<MemoryClient> http;
};

inline std::string json(const std::string& verb, const std::string& target, const std::string& body,
                        const std::string& headers = "") {
  return verb + " " + target + " HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n" +
         "Content-Length: " + std::to_string(body.size()) + "\r\n" + headers + "\r\n" + body;
}

inline bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace troupe::cluster::tests
