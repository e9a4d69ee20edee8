// Strangers at the handshake: whatever they send, they get an alert at most, the listener's owner
// sees nothing, and others are served.
#include <random>

#include "tests/runtime/platform/tls_rig.hpp"

using namespace troupe;
using namespace troupe::runtime;
using namespace troupe::tests;

namespace {

constexpr std::uint32_t fuzz_rounds = 300;

// What a real client begins with.
std::string client_hello() {
  const std::unique_ptr<SSL_CTX, FreedBy<SSL_CTX_free>> context{SSL_CTX_new(TLS_client_method())};
  const std::unique_ptr<SSL, FreedBy<SSL_free>> ssl{SSL_new(context.get())};
  SSL_set_bio(ssl.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  SSL_set_connect_state(ssl.get());
  SSL_do_handshake(ssl.get());
  char* data = nullptr;
  const auto size = BIO_get_mem_data(SSL_get_wbio(ssl.get()), &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string garbage(std::mt19937& random, const std::string& hello) {
  const auto below = [&](std::size_t bound) { return static_cast<std::size_t>(random() % bound); };
  std::string bytes;
  switch (below(4)) {
    case 0:  // nothing that means anything
      bytes.resize(1 + below(2000));
      for (auto& byte : bytes) byte = static_cast<char>(random());
      return bytes;
    case 1:  // a header of TLS, then anything
      bytes = std::string{"\x16\x03\x01\x02\x00", 5};
      for (std::size_t i = below(700); i > 0; --i) bytes += static_cast<char>(random());
      return bytes;
    case 2:  // a hello with some bytes changed
      bytes = hello;
      for (std::size_t i = 1 + below(8); i > 0; --i)
        bytes[below(bytes.size())] = static_cast<char>(random());
      return bytes;
    default:  // a hello that is cut off or goes on in another way
      bytes = hello.substr(0, 1 + below(hello.size()));
      for (std::size_t i = below(400); i > 0; --i) bytes += static_cast<char>(random());
      return bytes;
  }
}

// Alerts and the answer to a hello that was good enough; never a byte of the owner's.
bool only_handshake(const std::string& answer, const std::string& secret) {
  return answer.find(secret) == std::string::npos;
}

}  // namespace

TEST_CASE("garbage at the handshake gets nothing and disturbs nobody") {
  TestAuthority authority;
  SecuredNode server{authority.node("n1")};
  const std::string secret = "what only nodes may read";
  server.listen([&](Handler& handler) { handler.stream->write(secret); });
  const auto hello = client_hello();
  REQUIRE(hello.size() > 100);
  for (std::uint32_t seed = 1; seed <= fuzz_rounds; ++seed) {
    CAPTURE(seed);
    std::mt19937 random{seed};
    BareSocket stranger{server.address()};
    const auto bytes = garbage(random, hello);
    ::send(stranger.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (seed % 3 == 0) {
      stranger.reset();
      continue;
    }
    ::shutdown(stranger.number(), SHUT_WR);
    CHECK(only_handshake(stranger.receive_all(), secret));
  }
  CHECK(server.streams() == 0);
  SecuredNode client{authority.node("n2")};
  const auto made = client.connect(server.address());
  REQUIRE(made);
  CHECK((*made)->wait_for_bytes(secret.size()) == secret);
  CHECK(server.streams() == 1);
}

TEST_CASE("garbage from a listener fails a connecting node's handshake") {
  TestAuthority authority;
  SecuredNode client{authority.node("n2")};
  std::mt19937 random{7};
  for (int round = 0; round < 60; ++round) {
    const auto bytes = garbage(random, client_hello());
    Served stranger{1, [&](Handler& handler) {
                      handler.data = [&](std::string_view) {
                        handler.stream->write(bytes);
                        handler.stream->close();
                      };
                    }};
    const auto made = client.connect(stranger.address);
    REQUIRE_FALSE(made);
    CHECK((made.error().reason == "HANDSHAKE_FAILED" ||
           made.error().reason == "CERTIFICATE_REFUSED" ||
           made.error().reason == "CONNECTION_LOST"));
  }
}

TEST_CASE("a flood of strangers fills no log") {
  TestAuthority authority;
  SecuredNode server{authority.node("n1")};
  server.listen();
  for (int i = 0; i < 100; ++i) {
    BareSocket stranger{server.address()};
    stranger.send("GET / HTTP/1.1\r\n\r\n");
    stranger.receive_all();
  }
  CHECK(server.log.count("network.peer_refused") <= 40);
}
