#include "tests/simulations/world/connection.hpp"

using namespace troupe;
using namespace troupe::runtime;
using namespace troupe::simulations;

namespace {

// Two machines; node-1 listens, node-2 connects.
struct Neighbours {
  World world{{.seed = 3}};
  Machine& one = world.add("node-1", bare_process());
  Machine& two = world.add("node-2", bare_process());
  std::unique_ptr<Listener> listener;
  std::shared_ptr<End> server = std::make_shared<End>();
  std::shared_ptr<End> client = std::make_shared<End>();
  std::string outcome;  // "connected" or the reason

  Neighbours() {
    REQUIRE(world.start(one));
    REQUIRE(world.start(two));
  }

  static std::shared_ptr<Security> security_of(Machine& machine, const std::string& cluster) {
    CredentialFiles files;
    files.cluster = cluster;
    auto security = machine.platform()->network().load_security(files);
    REQUIRE(security);
    return *security;
  }

  void meet(std::shared_ptr<Security> listening, std::shared_ptr<Security> connecting) {
    auto made = one.platform()->network().listen(
        {"node-1", 80},
        [this](std::shared_ptr<Stream> stream) {
          server->stream = std::move(stream);
          return server;
        },
        std::move(listening));
    REQUIRE(made);
    listener = std::move(*made);
    connect(std::move(connecting));
  }

  void connect(std::shared_ptr<Security> connecting) {
    outcome.clear();
    two.platform()->network().connect(
        {"node-1", 80}, 1s,
        [this](auto stream) -> std::shared_ptr<StreamHandler> {
          outcome = stream ? "connected" : stream.error().reason;
          if (!stream) return nullptr;
          client->stream = std::move(*stream);
          return client;
        },
        std::move(connecting));
    world.run_for(2s);
  }
};

}  // namespace

TEST_CASE("both ends of a secured connection learn who the other is") {
  Neighbours both;
  both.meet(both.security_of(both.one, "shop"), both.security_of(both.two, "shop"));
  REQUIRE(both.outcome == "connected");
  REQUIRE(both.server->stream);
  CHECK(both.server->stream->peer_identity() == "spiffe://shop/node/node-2");
  CHECK(both.client->stream->peer_identity() == "spiffe://shop/node/node-1");
  both.client->stream->write("hello");
  both.world.run_for(1s);
  CHECK(both.server->received == "hello");
}

TEST_CASE("a plain connection has no identity") {
  Pair pair;
  CHECK(pair.client->stream->peer_identity().empty());
  CHECK(pair.server->stream->peer_identity().empty());
}

TEST_CASE("what is wrong with a machine's certificate is said to both ends") {
  Neighbours both;
  both.two.hardware.certificate.fault = "CERTIFICATE_REVOKED";
  both.meet(both.security_of(both.one, "shop"), both.security_of(both.two, "shop"));
  CHECK(both.outcome == "CERTIFICATE_REFUSED");
  CHECK_FALSE(both.server->stream);

  both.two.hardware.certificate.fault.clear();
  both.one.hardware.certificate.fault = "CERTIFICATE_EXPIRED";
  both.connect(both.security_of(both.two, "shop"));
  CHECK(both.outcome == "CERTIFICATE_EXPIRED");
  CHECK_FALSE(both.server->stream);
}

TEST_CASE("a fault that comes while a stream is open concerns the next handshake") {
  Neighbours both;
  const auto security = both.security_of(both.two, "shop");
  both.meet(both.security_of(both.one, "shop"), security);
  REQUIRE(both.outcome == "connected");
  both.two.hardware.certificate.fault = "CERTIFICATE_REVOKED";
  both.client->stream->write("still here");
  both.world.run_for(1s);
  CHECK(both.server->received == "still here");
  both.connect(security);
  CHECK(both.outcome == "CERTIFICATE_REFUSED");
}

TEST_CASE("nodes of another cluster are refused, and so is an identity that is none") {
  Neighbours both;
  both.meet(both.security_of(both.one, "shop"), both.security_of(both.two, "bank"));
  CHECK(both.outcome == "IDENTITY_FOREIGN");
  both.two.hardware.certificate.identity = "spiffe://shop/user/bob";
  both.connect(both.security_of(both.two, "shop"));
  CHECK(both.outcome == "CERTIFICATE_REFUSED");
  CHECK_FALSE(both.server->stream);
}

TEST_CASE("a secured end and a plain one do not meet") {
  SUBCASE("a plain client is reset by a secured listener, whose owner sees nothing") {
    Neighbours both;
    both.meet(both.security_of(both.one, "shop"), nullptr);
    CHECK(both.outcome == "connected");
    CHECK(both.client->closed == 1);
    CHECK(both.client->reason == "CONNECTION_LOST");
    CHECK_FALSE(both.server->stream);
  }
  SUBCASE("a secured client is refused by a plain listener") {
    Neighbours both;
    both.meet(nullptr, both.security_of(both.two, "shop"));
    CHECK(both.outcome == "HANDSHAKE_FAILED");
    CHECK_FALSE(both.server->stream);
  }
}
