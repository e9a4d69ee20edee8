// Secured streams keep the promises of plain ones.
#include "tests/runtime/platform/tls_rig.hpp"

using namespace troupe;
using namespace troupe::runtime;
using namespace troupe::tests;

namespace {

// Two nodes and a secured stream between them.
struct SecuredPair {
  explicit SecuredPair(
      std::function<void(Handler&)> prepare = [](Handler&) {},
      std::shared_ptr<Handler> handler = std::make_shared<Handler>()) {
    server.listen(std::move(prepare));
    auto made = client_node.connect(server.address(), 1h, std::move(handler));
    REQUIRE(made);
    client = *made;
    accepted = server.wait_for_stream();
  }
  ~SecuredPair() {
    client_node.network.reset();
    client->stream.reset();
  }

  TestAuthority authority;
  SecuredNode server{authority.node("n1")};
  SecuredNode client_node{authority.node("n2"), 2};
  std::shared_ptr<Handler> client;
  std::shared_ptr<Handler> accepted;
};

}  // namespace

TEST_CASE("large transfers in both directions arrive whole") {
  SecuredPair pair;
  const auto there = pattern(24 << 20);
  const auto back = pattern(16 << 20).substr(7);
  pair.client->stream->write(there);
  pair.accepted->stream->write(back);
  CHECK(pair.accepted->wait_for_bytes(there.size()) == there);
  CHECK(pair.client->wait_for_bytes(back.size()) == back);
  pair.client->wait_until_drained();
  CHECK(pair.client->stream->unsent() == 0);
}

TEST_CASE("many small writes arrive in order") {
  SecuredPair pair;
  std::string all;
  for (int i = 0; i < 20'000; ++i) {
    const auto one = std::to_string(i) + ";";
    all += one;
    pair.client->stream->write(one);
  }
  CHECK(pair.accepted->wait_for_bytes(all.size()) == all);
}

TEST_CASE("writes of many sizes arrive whole, those of a record's size and around it too") {
  SecuredPair pair;
  std::string all;
  for (const std::size_t size :
       {1u, 16383u, 16384u, 16385u, 32768u, 65535u, 65536u, 65537u, 100'000u, 131'072u, 1u}) {
    const auto one = pattern(size);
    all += one;
    pair.client->stream->write(one);
  }
  CHECK(pair.accepted->wait_for_bytes(all.size()) == all);
}

TEST_CASE("what a peer sends right behind its handshake is not lost") {
  for (int round = 0; round < 20; ++round) {
    SecuredPair pair{[](Handler& handler) { handler.stream->write("early"); }};
    pair.client->stream->write("prompt");
    CHECK(pair.client->wait_for_bytes(5) == "early");
    CHECK(pair.accepted->wait_for_bytes(6) == "prompt");
  }
}

TEST_CASE("bytes that come in one piece with the end of the handshake are delivered") {
  bool paused = false;
  SUBCASE("at once") {}
  SUBCASE("when a stream that is paused from its beginning is resumed") {
    paused = true;
  }
  TestAuthority authority;
  SecuredNode server{authority.node("n1")};
  server.listen([&](Handler& handler) {
    if (paused) handler.stream->pause_reading();
  });
  const auto files = authority.node("n2");
  BareTls peer{server.address(), &files};
  SSL_set_bio(peer.ssl(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  SSL_set_connect_state(peer.ssl());
  const auto send = [&] {
    char* data = nullptr;
    const auto size = BIO_get_mem_data(SSL_get_wbio(peer.ssl()), &data);
    peer.socket().send({data, static_cast<std::size_t>(size)});
    (void)BIO_reset(SSL_get_wbio(peer.ssl()));
  };
  while (SSL_do_handshake(peer.ssl()) != 1) {
    send();
    char buffer[16384];
    const auto count = ::recv(peer.socket().number(), buffer, sizeof buffer, 0);
    REQUIRE(count > 0);
    BIO_write(SSL_get_rbio(peer.ssl()), buffer, static_cast<int>(count));
  }
  REQUIRE(peer.write("prompt"));
  send();
  const auto accepted = server.wait_for_stream();
  if (paused) {
    CHECK(accepted->received().empty());
    accepted->stream->resume_reading();
  }
  CHECK(accepted->wait_for_bytes(6) == "prompt");
}

TEST_CASE("a stream that is paused from its beginning delivers once it is resumed") {
  SecuredPair pair{[](Handler& handler) { handler.stream->pause_reading(); }};
  pair.client->stream->write("waits");
  pair.client->wait_until_drained();
  CHECK(pair.accepted->received().empty());
  pair.accepted->stream->resume_reading();
  CHECK(pair.accepted->wait_for_bytes(5) == "waits");
}

TEST_CASE("a paused peer pushes back, and everything arrives in the end") {
  SecuredPair pair{[](Handler& handler) { handler.stream->pause_reading(); }};
  const auto bytes = pattern(32 << 20);
  pair.client->stream->write(bytes);
  CHECK(pair.client->stream->unsent() > 0);
  pair.accepted->stream->resume_reading();
  CHECK(pair.accepted->wait_for_bytes(bytes.size()) == bytes);
}

TEST_CASE("close sends what is unsent and ends the secured stream in order at both ends") {
  SecuredPair pair;
  const auto bytes = pattern(16 << 20);
  pair.client->stream->write(bytes);
  pair.client->stream->close();
  pair.client->stream->write("too late");
  CHECK(pair.accepted->wait_until_closed());
  CHECK(pair.accepted->received() == bytes);
  CHECK(pair.client->wait_until_closed());
}

TEST_CASE("a secured peer that ends its side still gets what was written before") {
  TestAuthority authority;
  SecuredNode server{authority.node("n1")};
  const auto answer = pattern(1 << 20);
  server.listen([&](Handler& handler) {
    handler.data = [&](std::string_view) { handler.stream->write(answer); };
  });
  const auto files = authority.node("n2");
  BareTls peer{server.address(), &files};
  REQUIRE(peer.shake_hands());
  REQUIRE(peer.write("?"));
  const auto accepted = server.wait_for_stream();
  accepted->wait_for_bytes(1);
  peer.say_goodbye();
  CHECK(peer.read_all() == answer);
  CHECK(peer.ended_in_order());
  CHECK(accepted->wait_until_closed());
}

TEST_CASE("an end that the peer did not announce is a lost connection") {
  TestAuthority authority;
  SecuredNode server{authority.node("n1")};
  server.listen();
  const auto files = authority.node("n2");
  BareTls peer{server.address(), &files};
  REQUIRE(peer.shake_hands());
  REQUIRE(peer.write("half of"));
  const auto accepted = server.wait_for_stream();
  accepted->wait_for_bytes(7);
  peer.socket().end_output();  // a FIN without close_notify, as anyone on the way could make it
  const auto why = accepted->wait_until_closed();
  REQUIRE_FALSE(why);
  CHECK(why.error().reason == "CONNECTION_LOST");
  CHECK(why.error().message.find("cut short") != std::string::npos);
}

TEST_CASE("bytes that were changed on the way end the stream and are not delivered") {
  TestAuthority authority;
  SecuredNode server{authority.node("n1")};
  server.listen();
  const auto files = authority.node("n2");
  BareTls peer{server.address(), &files};
  REQUIRE(peer.shake_hands());
  REQUIRE(peer.write("good"));
  const auto accepted = server.wait_for_stream();
  accepted->wait_for_bytes(4);
  peer.socket().send(std::string{"\x17\x03\x03\x00\x20", 5} + std::string(32, 'x'));
  const auto why = accepted->wait_until_closed();
  REQUIRE_FALSE(why);
  CHECK(why.error().reason == "CONNECTION_LOST");
  CHECK(accepted->received() == "good");
}

TEST_CASE("abort drops what is unsent and the secured peer sees a lost connection") {
  SecuredPair pair{[](Handler& handler) { handler.stream->pause_reading(); }};
  pair.client->stream->write(pattern(32 << 20));
  pair.client->stream->abort();
  CHECK(pair.client->wait_until_closed().error().code == Code::cancelled);
  CHECK(pair.client->stream->unsent() == 0);
  pair.accepted->stream->resume_reading();
  CHECK(pair.accepted->wait_until_closed().error().reason == "CONNECTION_LOST");
}

TEST_CASE("a secured stream expires, and an idle peer sees an orderly end") {
  // Often: our own goodbye may reach a socket that is gone.
  for (int round = 0; round < 20; ++round) {
    SecuredPair pair;
    pair.accepted->stream->expire_after(1ms);
    CHECK(pair.accepted->wait_until_closed().error().reason == "STREAM_EXPIRED");
    CHECK(pair.client->wait_until_closed());
  }
}

TEST_CASE("closing, aborting and writing to secured streams from many threads ends once") {
  TestAuthority authority;
  SecuredNode server{authority.node("n1")};
  SecuredNode client{authority.node("n2"), 2};
  server.listen();
  for (std::size_t round = 0; round < 20; ++round) {
    const auto made = client.connect(server.address());
    REQUIRE(made);
    const auto handler = *made;
    const auto accepted = server.wait_for_stream(round);
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&, t] {
        for (int i = 0; i < 20; ++i) handler->stream->write("some bytes");
        handler->stream->pause_reading();
        handler->stream->resume_reading();
        if (t % 2 == 0) handler->stream->close();
        if (t == 3) handler->stream->abort();
      });
    for (auto& thread : threads) thread.join();
    (void)handler->wait_until_closed();
    (void)accepted->wait_until_closed();
    handler->stream.reset();
  }
}
