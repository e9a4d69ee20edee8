#include "tests/runtime/platform/network_rig.hpp"

using namespace troupe;
using namespace troupe::runtime;
using namespace troupe::tests;

TEST_CASE("close sends what is unsent, then ends the stream in order") {
  Served served;
  BareSocket peer{served.address};
  const auto stream = served.wait_for_stream();
  const auto bytes = pattern(16 << 20);
  stream->stream->write(bytes);
  stream->stream->close();
  stream->stream->write("too late");
  stream->stream->close();
  CHECK_FALSE(stream->is_over());
  int failure = 0;
  CHECK(peer.receive_all(&failure) == bytes);
  CHECK(failure == 0);
  CHECK(stream->wait_until_closed());
  CHECK(stream->stream->unsent() == 0);
}

TEST_CASE("an answer is not lost to a peer that is still sending when we close") {
  // Without draining, the unread bytes would turn our close into a reset.
  Served served{1, [](Handler& handler) {
                  handler.data = [&handler](std::string_view) {
                    handler.stream->pause_reading();
                    handler.stream->write("413 too large");
                    handler.stream->close();
                  };
                }};
  BareSocket peer{served.address};
  peer.send(pattern(8 << 20));
  int failure = 0;
  CHECK(peer.receive_all(&failure) == "413 too large");
  CHECK(failure == 0);
  CHECK(served.wait_for_stream()->wait_until_closed());
}

TEST_CASE("a paused stream that closes takes what its peer insists on sending first") {
  Served served{1, [](Handler& handler) { handler.stream->pause_reading(); }};
  BareSocket peer{served.address};
  const auto stream = served.wait_for_stream();
  peer.send("x");  // when it is answered, the stream has stopped reading
  stream->stream->write("y");
  CHECK(peer.receive(1) == "y");
  const auto bytes = pattern(32 << 20);
  stream->stream->write(bytes);
  stream->stream->close();
  peer.send(bytes);  // blocks until the stream takes it
  CHECK(peer.receive_all() == bytes);
  CHECK(stream->wait_until_closed());
  CHECK(stream->received().empty());
}

TEST_CASE("after close no data is delivered") {
  Served served{1, [](Handler& handler) {
                  handler.data = [&handler](std::string_view) { handler.stream->close(); };
                }};
  BareSocket peer{served.address};
  peer.send("first");
  peer.receive_all();
  peer.send("second");
  const auto stream = served.wait_for_stream();
  CHECK(stream->wait_until_closed());
  CHECK(stream->received() == "first");
}

TEST_CASE("a peer that ends its side still gets what was written, then the stream closes") {
  const auto large = pattern(8 << 20);
  Served served{1, [&](Handler& handler) {
                  handler.data = [&](std::string_view) { handler.stream->write(large); };
                }};
  BareSocket peer{served.address};
  peer.send("request");
  const auto stream = served.wait_for_stream();
  stream->wait_for_bytes(7);
  peer.end_output();
  int failure = 0;
  CHECK(peer.receive_all(&failure) == large);
  CHECK(failure == 0);
  CHECK(stream->wait_until_closed());
}

TEST_CASE("a peer that sends and is gone at once is an orderly end") {
  Served served;
  {
    BareSocket peer{served.address};
    peer.send("bye");
  }
  const auto stream = served.wait_for_stream();
  CHECK(stream->wait_until_closed());
  CHECK(stream->received() == "bye");
}

TEST_CASE("a reset by the peer is an error that names it") {
  Served served;
  BareSocket peer{served.address};
  const auto stream = served.wait_for_stream();
  peer.reset();
  const auto why = stream->wait_until_closed();
  REQUIRE_FALSE(why);
  CHECK(why.error().code == Code::unavailable);
  CHECK(why.error().reason == "CONNECTION_LOST");
  CHECK(why.error().message.find(stream->stream->remote().to_string()) != std::string::npos);
}

TEST_CASE("writing to a peer that has gone ends with an error, not with a signal") {
  Served served{1, [](Handler& handler) { handler.stream->pause_reading(); }};
  BareSocket peer{served.address};
  const auto stream = served.wait_for_stream();
  peer.reset();
  stream->stream->write("x");
  CHECK(stream->wait_until_closed().error().reason == "CONNECTION_LOST");
}

TEST_CASE("abort drops what is unsent and the peer sees a lost connection") {
  Served served;
  BareSocket peer{served.address};
  const auto stream = served.wait_for_stream();
  const auto bytes = pattern(32 << 20);
  stream->stream->write(bytes);
  stream->stream->abort();
  stream->stream->abort();
  CHECK(stream->wait_until_closed().error().code == Code::cancelled);
  CHECK(stream->stream->unsent() == 0);
  int failure = 0;
  CHECK(peer.receive_all(&failure).size() < bytes.size());
  CHECK(failure == ECONNRESET);
}

TEST_CASE("after abort no data is delivered") {
  Served served{1, [](Handler& handler) {
                  handler.data = [&handler](std::string_view) { handler.stream->abort(); };
                }};
  BareSocket peer{served.address};
  // More than one read: the rest is there when the handler aborts.
  ::send(peer.number(), pattern(1 << 20).data(), 1 << 20, MSG_NOSIGNAL | MSG_DONTWAIT);
  const auto stream = served.wait_for_stream();
  CHECK(stream->wait_until_closed().error().code == Code::cancelled);
  CHECK(stream->received().size() <= 64 * 1024);
}

TEST_CASE("a stream expires unless its time is renewed") {
  Served served;
  BareSocket first{served.address};
  const auto renewed = served.wait_for_stream(0);
  BareSocket second{served.address};
  const auto stopped = served.wait_for_stream(1);
  BareSocket third{served.address};
  const auto expiring = served.wait_for_stream(2);

  renewed->stream->expire_after(20ms);
  renewed->stream->expire_after(1h);
  stopped->stream->expire_after(20ms);
  stopped->stream->expire_after(0ns);
  expiring->stream->expire_after(1h);  // made shorter
  expiring->stream->expire_after(60ms);

  const auto why = expiring->wait_until_closed();
  REQUIRE_FALSE(why);
  CHECK(why.error().code == Code::deadline_exceeded);
  CHECK(why.error().reason == "STREAM_EXPIRED");
  CHECK(third.receive_all().empty());
  CHECK_FALSE(renewed->is_over());
  CHECK_FALSE(stopped->is_over());

  renewed->stream->expire_after(1ns);
  CHECK(renewed->wait_until_closed().error().code == Code::deadline_exceeded);
}

TEST_CASE("a peer that does not read runs into the deadline, also after close") {
  Served served;
  BareSocket peer{served.address};
  const auto stream = served.wait_for_stream();
  stream->stream->write(pattern(32 << 20));
  stream->stream->close();
  stream->stream->expire_after(30ms);
  CHECK(stream->wait_until_closed().error().reason == "STREAM_EXPIRED");
  int failure = 0;
  peer.receive_all(&failure);
  CHECK(failure == ECONNRESET);
}

TEST_CASE("an immense time to expire is no time at all") {
  Served served;
  BareSocket peer{served.address};
  const auto stream = served.wait_for_stream();
  stream->stream->expire_after(Duration::max());
  stream->stream->write("still here");
  CHECK(peer.receive(10) == "still here");
  CHECK_FALSE(stream->is_over());
}

TEST_CASE("the network lets go of the handler once it was closed") {
  Served served;
  auto handler = std::make_shared<Handler>();
  std::weak_ptr<Handler> seen = handler;
  auto released = std::make_shared<Event<>>();
  {
    // Outlives the handler and tells when it is gone.
    std::shared_ptr<void> teller{nullptr, [released](void*) { released->set(); }};
    handler->drained = [teller] {};
  }
  REQUIRE(connect(*served.network, served.address, 1h, handler));
  handler->stream->close();
  (void)handler->wait_until_closed();
  handler->stream.reset();
  handler.reset();
  released->wait();
  CHECK(seen.expired());
}

TEST_CASE("closing, aborting and writing from many threads ends in one on_closed") {
  for (int round = 0; round < 50; ++round) {
    Served served;
    const auto client = *connect(*served.network, served.address);
    const auto server = served.wait_for_stream();
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&, t] {
        for (int i = 0; i < 20; ++i) client->stream->write("some bytes");
        client->stream->expire_after(1h);
        client->stream->pause_reading();
        client->stream->resume_reading();
        if (t % 2 == 0) client->stream->close();
        if (t == 3) client->stream->abort();
        client->stream->write("more");
      });
    for (auto& thread : threads) thread.join();
    (void)client->wait_until_closed();
    (void)server->wait_until_closed();
    CHECK(client->stream->unsent() == 0);
  }
}

TEST_CASE("destroying the network closes every stream and tells its owner") {
  auto served = std::make_unique<Served>(2);
  std::vector<std::shared_ptr<Handler>> clients;
  for (int i = 0; i < 20; ++i) clients.push_back(*connect(*served->network, served->address));
  for (std::size_t i = 0; i < 20; ++i) served->wait_for_stream(i);
  clients[0]->stream->write(pattern(32 << 20));
  served->listener.reset();
  served->network.reset();
  for (const auto& client : clients) {
    CHECK(client->is_over());
    client->stream->write("into the void");
    client->stream->close();
    client->stream->abort();
    client->stream->expire_after(1ms);
    client->stream->resume_reading();
    CHECK(client->stream->unsent() == 0);
    client->stream.reset();
  }
  for (const auto& server : served->accepted) CHECK(server->is_over());
}
