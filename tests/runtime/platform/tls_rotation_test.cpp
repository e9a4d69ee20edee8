// Credentials are files, and files change while a node runs.
#include "tests/runtime/platform/tls_rig.hpp"

using namespace troupe;
using namespace troupe::runtime;
using namespace troupe::tests;

namespace {

// The serial number of the certificate that a listener shows now.
std::string shown_by(const Address& address, const CredentialFiles& files) {
  BareTls peer{address, &files};
  REQUIRE(peer.shake_hands());
  const X509Ptr certificate{SSL_get1_peer_certificate(peer.ssl())};
  REQUIRE(certificate);
  return serial_of(*certificate);
}

std::string what_is_wrong_with(const CredentialFiles& files) {
  KeptLog log;
  const auto network = make_os_network(1, log);
  const auto loaded = network->load_security(files);
  if (loaded) return "loaded";
  CHECK(loaded.error().code == Code::failed_precondition);
  CHECK(loaded.error().reason == "CREDENTIALS_UNUSABLE");
  return loaded.error().message;
}

bool mentions(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("new certificates are used without a restart, and open streams live on") {
  TestAuthority authority;
  const auto files = authority.node("n1");
  SecuredNode server{files};
  SecuredNode client{authority.node("n2")};
  server.listen();
  const auto first = TestAuthority::serial(files);
  const auto open = client.connect(server.address());
  REQUIRE(open);
  const auto accepted = server.wait_for_stream();

  const auto peer = authority.node("n3");
  CHECK(shown_by(server.address(), peer) == first);
  authority.node("n1");
  const auto second = TestAuthority::serial(files);
  CHECK(second != first);
  CHECK(shown_by(server.address(), peer) == second);
  CHECK(server.log.count("security.reloaded") >= 1);

  (*open)->stream->write("before and after");
  CHECK(accepted->wait_for_bytes(16) == "before and after");
}

TEST_CASE("an expired node is let in as soon as its certificate is renewed") {
  TestAuthority authority;
  SecuredNode server{authority.node("n1")};
  SecuredNode client{authority.node("n2", valid_before())};
  server.listen();
  CHECK(client.reason_of_connecting(server.address()) == "CERTIFICATE_REFUSED");
  authority.node("n2");
  CHECK(client.reason_of_connecting(server.address()) == "connected");
  CHECK(client.security->valid_until() > wall());
}

TEST_CASE("a changed file that cannot be used is logged once, and the old one stays in use") {
  TestAuthority authority;
  const auto files = authority.node("n1");
  SecuredNode server{files};
  server.listen();
  const auto first = TestAuthority::serial(files);
  const auto peer = authority.node("n3");
  SUBCASE("no certificate at all") {
    authority.write("n1.pem", "broken");
  }
  SUBCASE("gone") {
    REQUIRE(::unlink(files.certificate.c_str()) == 0);
  }
  SUBCASE("the certificate of another key") {
    const auto other = make_node_certificate(authority.pair(), {{"shop", "n1"}, valid_now()});
    REQUIRE(other);
    authority.write("n1.pem", other->certificate);
  }
  SUBCASE("another node's") {
    const auto other = make_node_certificate(authority.pair(), {{"shop", "n9"}, valid_now()});
    REQUIRE(other);
    authority.store({"shop", "n1"}, *other);
  }
  SUBCASE("a list of another authority") {
    TestAuthority foreign;
    std::ifstream stream{foreign.path("revoked.pem")};
    authority.write("revoked.pem", {std::istreambuf_iterator<char>{stream}, {}});
  }
  for (int i = 0; i < 3; ++i) CHECK(shown_by(server.address(), peer) == first);
  CHECK(server.log.count("security.reload_failed") == 1);
  CHECK(server.security->identity() == "spiffe://shop/node/n1");
  // What comes next is looked at again.
  authority.revoke({});
  authority.node("n1");
  CHECK(shown_by(server.address(), peer) != first);
}

TEST_CASE("an authority is replaced by way of a bundle of both") {
  TestAuthority old;
  TestAuthority fresh;
  const auto bundle = old.pair().certificate + fresh.pair().certificate;
  const auto n1 = old.node("n1");
  const auto n2 = old.node("n2");
  SecuredNode server{n1};
  SecuredNode client{n2};
  server.listen();
  old.write("authority.pem", bundle);
  const auto second = make_node_certificate(fresh.pair(), {{"shop", "n2"}, valid_now()});
  REQUIRE(second);
  old.store({"shop", "n2"}, *second);
  CHECK(client.reason_of_connecting(server.address()) == "connected");
  CHECK(client.log.count("security.reload_failed") == 0);

  // Each authority's list counts for its own certificates.
  const auto list = [](TestAuthority& authority) {
    std::ifstream stream{authority.path("revoked.pem")};
    return std::string{std::istreambuf_iterator<char>{stream}, {}};
  };
  const auto old_list = list(old);
  old.write("revoked.pem", old_list + list(fresh));
  CHECK(client.reason_of_connecting(server.address()) == "connected");
  fresh.revoke({read_certificate(second->certificate)->serial});
  old.write("revoked.pem", old_list + list(fresh));
  CHECK(client.reason_of_connecting(server.address()) == "CERTIFICATE_REFUSED");
  server.log.wait_for("network.peer_refused");
  CHECK(server.log.text().find("reason=CERTIFICATE_REVOKED") != std::string::npos);
}

TEST_CASE("what is wrong with credentials is said with the name of the file") {
  TestAuthority authority;
  const auto good = authority.node("n1");
  CHECK(what_is_wrong_with(good) == "loaded");
  auto files = good;
  files.authority = authority.path("nowhere.pem");
  CHECK(mentions(what_is_wrong_with(files), "nowhere.pem"));
  files = good;
  files.authority = good.certificate;
  CHECK(mentions(what_is_wrong_with(files), "none of an authority"));
  files = good;
  files.key = authority.node("n2").key;
  CHECK(mentions(what_is_wrong_with(files), "n2.key: is not the key of the certificate"));
  files = good;
  files.key = good.certificate;
  CHECK(mentions(what_is_wrong_with(files), "n1.pem: it holds no private key"));
  files = good;
  files.cluster = "bank";
  CHECK(mentions(what_is_wrong_with(files), "spiffe://shop/node/n1"));
  files = good;
  files.authority = TestAuthority{}.path("authority.pem");
  CHECK(mentions(what_is_wrong_with(files), "authority.pem"));
  TestAuthority other;
  files.authority = other.path("authority.pem");
  CHECK(mentions(what_is_wrong_with(files), "is not signed by an authority"));
  files = good;
  files.revoked = other.path("revoked.pem");
  CHECK(mentions(what_is_wrong_with(files), "revoked.pem: is not signed by an authority"));
  files.revoked.clear();
  CHECK(what_is_wrong_with(files) == "loaded");
  files.key.clear();
  CHECK(mentions(what_is_wrong_with(files), "no file is named for the node's key"));
}

TEST_CASE("a key that others can read is warned of") {
  TestAuthority authority;
  const auto files = authority.node("n1");
  REQUIRE(::chmod(files.key.c_str(), 0644) == 0);
  SecuredNode node{files};
  CHECK(node.log.count("security.key_exposed") == 1);
}
