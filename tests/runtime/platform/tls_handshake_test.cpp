// Who is let in, who is not, and what each side is told.
#include "tests/runtime/platform/tls_rig.hpp"

using namespace troupe;
using namespace troupe::runtime;
using namespace troupe::tests;

namespace {

// Tries to connect and checks that nothing came of it: the listener's owner saw no stream, and its
// log names the reason.
std::string refused_by_listener(SecuredNode& server, SecuredNode& client,
                                const std::string& reason_in_log) {
  const auto before = server.log.count("network.peer_refused");
  const auto made = client.connect(server.address());
  REQUIRE_FALSE(made);
  CHECK(made.error().message.find(server.address().to_string()) != std::string::npos);
  while (server.log.count("network.peer_refused") == before) std::this_thread::yield();
  CHECK(server.log.text().find("reason=" + reason_in_log) != std::string::npos);
  CHECK(server.streams() == 0);
  return made.error().reason;
}

}  // namespace

TEST_CASE("two nodes of a cluster meet, and each learns the other's name") {
  TestAuthority authority;
  SecuredNode server{authority.node("n1")};
  SecuredNode client{authority.node("n2")};
  CHECK(server.security->identity() == "spiffe://shop/node/n1");
  CHECK(server.security->valid_until() > wall() + 23h);
  server.listen();
  const auto made = client.connect(server.address());
  REQUIRE_MESSAGE(made, (made ? "" : made.error().describe()));
  const auto accepted = server.wait_for_stream();
  CHECK((*made)->stream->peer_identity() == "spiffe://shop/node/n1");
  CHECK(accepted->stream->peer_identity() == "spiffe://shop/node/n2");
  (*made)->stream->write("hello");
  CHECK(accepted->wait_for_bytes(5) == "hello");
  accepted->stream->write("welcome");
  CHECK((*made)->wait_for_bytes(7) == "welcome");
  (*made)->stream->close();
  CHECK((*made)->wait_until_closed());
  CHECK(accepted->wait_until_closed());
}

TEST_CASE("a certificate that is out of date is refused, whichever side shows it") {
  TestAuthority authority;
  SecuredNode good{authority.node("n1")};
  good.listen();
  SUBCASE("expired") {
    SecuredNode bad{authority.node("n2", valid_before())};
    CHECK(bad.log.count("security.certificate_expired") == 1);
    CHECK(refused_by_listener(good, bad, "CERTIFICATE_EXPIRED") == "CERTIFICATE_REFUSED");
    CHECK(good.log.text().find("spiffe://shop/node/n2") != std::string::npos);
    bad.listen();
    const auto made = good.connect(bad.address());
    CHECK(made.error().reason == "CERTIFICATE_EXPIRED");
    CHECK(made.error().code == Code::unauthenticated);
    CHECK(bad.streams() == 0);
  }
  SUBCASE("not yet valid") {
    SecuredNode bad{authority.node("n2", valid_later())};
    CHECK(bad.log.count("security.certificate_not_yet_valid") == 1);
    CHECK(refused_by_listener(good, bad, "CERTIFICATE_NOT_YET_VALID") == "CERTIFICATE_REFUSED");
    bad.listen();
    CHECK(good.reason_of_connecting(bad.address()) == "CERTIFICATE_NOT_YET_VALID");
  }
}

TEST_CASE("a certificate of another authority is refused, also under the same names") {
  TestAuthority authority;
  TestAuthority foreign;
  SecuredNode good{authority.node("n1")};
  SecuredNode bad{foreign.node("n2")};
  good.listen();
  bad.listen();
  CHECK(good.reason_of_connecting(bad.address()) == "CERTIFICATE_FOREIGN");
  // Shows our listener a certificate that it does not believe, and believes ours: the authority's
  // certificate is no secret.
  auto files = foreign.node("n3");
  BareTls believer{good.address(), &files};
  believer.shake_hands();
  CHECK(believer.read_all().empty());
  good.log.wait_for("network.peer_refused");
  CHECK(good.log.text().find("reason=CERTIFICATE_FOREIGN") != std::string::npos);
  CHECK(bad.reason_of_connecting(good.address()) == "CERTIFICATE_FOREIGN");
  CHECK(good.streams() == 0);
  CHECK(bad.streams() == 0);
}

TEST_CASE("a node may not sign for others") {
  TestAuthority authority;
  const auto n2 = authority.node("n2");
  // What n2 could sign with its own key, by pretending to be an authority.
  std::ifstream certificate{n2.certificate};
  std::ifstream key{n2.key};
  const KeyPair pretended{{std::istreambuf_iterator<char>{certificate}, {}},
                          {std::istreambuf_iterator<char>{key}, {}}};
  CHECK(make_node_certificate(pretended, {{"shop", "n3"}, valid_now()}).error().reason ==
        "CREDENTIALS_UNUSABLE");
}

TEST_CASE("a node of another cluster is refused, although one authority signs for both") {
  TestAuthority authority;
  SecuredNode good{authority.node("n1")};
  SecuredNode bad{authority.node(NodeIdentity{"bank", "n2"}, valid_now())};
  good.listen();
  bad.listen();
  const auto made = good.connect(bad.address());
  CHECK(made.error().reason == "IDENTITY_FOREIGN");
  CHECK(made.error().message.find("spiffe://bank/node/n2") != std::string::npos);
  CHECK(bad.reason_of_connecting(good.address()) == "IDENTITY_FOREIGN");
}

TEST_CASE("a revoked certificate is refused, and the list may change while a node runs") {
  TestAuthority authority;
  SecuredNode good{authority.node("n1")};
  const auto files = authority.node("n2");
  SecuredNode bad{files};
  good.listen();
  const auto before = bad.connect(good.address());
  REQUIRE(before);
  const auto accepted = good.wait_for_stream();

  authority.revoke({TestAuthority::serial(files)});
  const auto made = bad.connect(good.address());
  REQUIRE_FALSE(made);
  CHECK(made.error().reason == "CERTIFICATE_REFUSED");
  CHECK(made.error().message.find("revoked") != std::string::npos);
  good.log.wait_for("network.peer_refused");
  CHECK(good.log.text().find("reason=CERTIFICATE_REVOKED") != std::string::npos);
  CHECK(bad.log.count("security.certificate_revoked") == 1);
  bad.listen();
  CHECK(good.reason_of_connecting(bad.address()) == "CERTIFICATE_REVOKED");

  // What was open lives on.
  (*before)->stream->write("still here");
  CHECK(accepted->wait_for_bytes(10) == "still here");

  // A new certificate under the same name is another one.
  authority.node("n2");
  CHECK(bad.reason_of_connecting(good.address()) == "connected");
}

TEST_CASE("a list of revoked certificates that has run out lets nobody in") {
  TestAuthority authority;
  SecuredNode good{authority.node("n1")};
  SecuredNode other{authority.node("n2")};
  good.listen();
  authority.revoke({}, valid_before());
  CHECK(other.reason_of_connecting(good.address()) == "REVOCATION_LIST_STALE");
}

TEST_CASE("a client without a certificate gets nothing") {
  TestAuthority authority;
  SecuredNode good{authority.node("n1")};
  good.listen([](Handler& handler) { handler.stream->write("secret"); });
  BareTls client{good.address()};
  client.shake_hands();
  client.write("GET / HTTP/1.1\r\n\r\n");
  CHECK(client.read_all().empty());
  good.log.wait_for("network.peer_refused");
  CHECK(good.log.text().find("reason=CERTIFICATE_MISSING") != std::string::npos);
  CHECK(good.streams() == 0);
}

TEST_CASE("a certificate without its key gets nothing") {
  // Whoever has seen n2's certificate, which is no secret, signs the handshake with a key of his
  // own.
  TestAuthority authority;
  SecuredNode good{authority.node("n1")};
  good.listen();
  auto stolen = authority.node("n2");
  stolen.key = authority.node("thief").key;
  CHECK(good.network->load_security(stolen).error().reason == "CREDENTIALS_UNUSABLE");
}

TEST_CASE("TLS 1.2 is not spoken") {
  TestAuthority authority;
  SecuredNode good{authority.node("n1")};
  good.listen();
  const auto files = authority.node("n2");
  BareTls old{good.address(), &files, TLS1_2_VERSION};
  CHECK_FALSE(old.shake_hands());
  good.log.wait_for("network.peer_refused");
  CHECK(good.log.text().find("reason=HANDSHAKE_FAILED") != std::string::npos);
}

TEST_CASE("no session is resumed, so every connection passes every check") {
  TestAuthority authority;
  SecuredNode good{authority.node("n1")};
  good.listen([](Handler& handler) { handler.stream->write("x"); });
  const auto files = authority.node("n2");
  BareTls first{good.address(), &files};
  REQUIRE(first.shake_hands());
  char byte = 0;
  REQUIRE(SSL_read(first.ssl(), &byte, 1) == 1);  // behind the ticket
  const std::unique_ptr<SSL_SESSION, FreedBy<SSL_SESSION_free>> session{
      SSL_get1_session(first.ssl())};
  authority.revoke({TestAuthority::serial(files)});
  BareTls second{good.address(), &files};
  SSL_set_session(second.ssl(), session.get());
  second.shake_hands();
  CHECK(second.read_all().empty());
  CHECK(SSL_session_reused(second.ssl()) == 0);
  good.log.wait_for("network.peer_refused");
}

TEST_CASE("a plain client of a secured listener gets nothing") {
  TestAuthority authority;
  SecuredNode good{authority.node("n1")};
  good.listen([](Handler& handler) { handler.stream->write("secret"); });
  BareSocket plain{good.address()};
  plain.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  const auto answer = plain.receive_all();
  CHECK(answer.size() < 16);  // an alert
  good.log.wait_for("network.peer_refused");
  CHECK(good.log.text().find("reason=HANDSHAKE_FAILED") != std::string::npos);
  CHECK(good.streams() == 0);
}

TEST_CASE("a secured client of a plain listener is refused") {
  TestAuthority authority;
  SecuredNode client{authority.node("n2")};
  SUBCASE("that answers in plain text") {
    Served plain{1, [](Handler& handler) {
                   handler.data = [&handler](std::string_view) {
                     handler.stream->write("HTTP/1.1 400 Bad Request\r\n\r\n");
                     handler.stream->close();
                   };
                 }};
    CHECK(client.reason_of_connecting(plain.address) == "HANDSHAKE_FAILED");
  }
  SUBCASE("that ends the connection") {
    Served plain{1, [](Handler& handler) {
                   handler.data = [&handler](std::string_view) { handler.stream->close(); };
                 }};
    CHECK(client.reason_of_connecting(plain.address) == "HANDSHAKE_FAILED");
  }
  SUBCASE("that says nothing, when the time is over") {
    Served plain;
    const auto made = client.connect(plain.address, 50ms);
    REQUIRE_FALSE(made);
    CHECK(made.error().code == Code::deadline_exceeded);
    CHECK(made.error().reason == "HANDSHAKE_TIMEOUT");
  }
}

TEST_CASE("destroying the network ends a handshake that is under way") {
  TestAuthority authority;
  auto server = std::make_unique<SecuredNode>(authority.node("n1"));
  server->listen();
  BareSocket silent{server->address()};
  Served plain;
  auto client = std::make_unique<SecuredNode>(authority.node("n2"));
  auto outcome = std::make_shared<Event<std::string>>();
  client->network->connect(
      plain.address, 1h,
      [outcome](auto stream) {
        outcome->set(stream ? "connected" : std::string{to_string(stream.error().code)});
        return nullptr;
      },
      client->security);
  plain.wait_for_stream()->wait_for_bytes(1);
  client.reset();
  CHECK(outcome->wait() == "CANCELLED");
  server.reset();
  CHECK(silent.receive_all().empty());
}

TEST_CASE("nothing secret is logged or said") {
  TestAuthority authority;
  SecuredNode good{authority.node("n1")};
  const auto n2 = authority.node("n2");
  SecuredNode other{n2};
  good.listen();
  CHECK(other.reason_of_connecting(good.address()) == "connected");
  authority.revoke({TestAuthority::serial(n2)});
  CHECK(other.reason_of_connecting(good.address()) == "CERTIFICATE_REFUSED");
  authority.write("n2.key", "-----BEGIN PRIVATE KEY-----\nbroken\n");
  CHECK(other.reason_of_connecting(good.address()) == "CERTIFICATE_REFUSED");
  good.log.wait_for("network.peer_refused");
  for (auto* node : {&good, &other}) {
    CHECK_FALSE(node->log.text().empty());
    for (const auto& key : {authority.pair().key})
      CHECK(node->log.text().find(key.substr(40, 32)) == std::string::npos);
    CHECK(node->log.text().find("PRIVATE KEY-") == std::string::npos);
    CHECK(node->log.text().find("broken\n") == std::string::npos);
  }
}
