#include "simulations/world/network.hpp"

#include <doctest/doctest.h>

#include "tests/simulations/world/connection.hpp"

namespace troupe::simulations {
namespace {

using runtime::Address;
using runtime::Stream;

TEST_CASE("bytes arrive whole and in order, in pieces and after a delay") {
  Pair pair;
  const auto text = letters(300'000);
  const auto begin = pair.world.now();
  pair.client->stream->write(text.substr(0, 7));
  pair.client->stream->write(text.substr(7));
  CHECK(pair.server->received.empty());
  CHECK(pair.client->stream->unsent() == text.size());
  REQUIRE(pair.world.run_until([&] { return pair.server->received.size() == text.size(); }, 1s));
  CHECK(pair.server->received == text);
  CHECK(pair.server->pieces > 20);
  CHECK(pair.client->drained == 1);
  CHECK(pair.client->stream->unsent() == 0);
  CHECK(pair.world.now() > begin);
  CHECK(pair.client->stream->remote() == Address{"node-1", 80});
  CHECK(pair.server->stream->remote().host == "outside");
}

TEST_CASE("segments are a function of the seed") {
  const auto pieces = [](std::uint64_t seed) {
    Pair pair{seed};
    pair.client->stream->write(letters(100'000));
    pair.world.run_for(1s);
    return std::pair{pair.server->pieces, pair.world.trace_hash()};
  };
  CHECK(pieces(1) == pieces(1));
  CHECK(pieces(1) != pieces(2));
}

TEST_CASE("a reader that pauses pushes the writer back, and loses nothing") {
  Pair pair;
  pair.server->stream->pause_reading();
  const auto text = letters(200'000);
  pair.client->stream->write(text);
  pair.world.run_for(1s);
  CHECK(pair.server->received.empty());
  CHECK(pair.client->stream->unsent() == text.size() - Fabric::window_bytes);
  CHECK(pair.client->drained == 0);
  // Pauses again within the callback.
  pair.server->data = [](End& end, std::string_view) { end.stream->pause_reading(); };
  pair.server->stream->resume_reading();
  CHECK(pair.server->received.empty());  // never inside the owner's call
  pair.world.run_for(1s);
  CHECK(pair.server->pieces == 1);
  pair.server->data = nullptr;
  pair.server->stream->resume_reading();
  pair.world.run_for(1s);
  CHECK(pair.server->received == text);
}

TEST_CASE("close() sends what is unsent first, and both sides see an orderly end once") {
  Pair pair;
  const auto text = letters(200'000);
  pair.client->stream->write(text);
  pair.client->stream->close();
  pair.client->stream->write("too late");
  CHECK(pair.client->closed == 0);
  pair.world.run_for(1s);
  CHECK(pair.server->received == text);
  CHECK(pair.server->closed == 1);
  CHECK(pair.server->reason.empty());
  CHECK(pair.client->closed == 1);
  CHECK(pair.client->reason.empty());
}

TEST_CASE("abort() ends at once, drops what is unsent, and resets the peer") {
  Pair pair;
  auto stream = pair.client->stream;
  stream->write(letters(200'000));
  stream->abort();
  CHECK(pair.client->closed == 0);  // not inside the call
  CHECK(stream->unsent() == 0);
  pair.world.run_for(1s);
  CHECK(pair.client->closed == 1);
  CHECK(pair.client->reason == "CANCELLED");
  CHECK(pair.server->received.empty());
  CHECK(pair.server->closed == 1);
  CHECK(pair.server->reason == "CONNECTION_LOST");
  stream->write("into the void");
  stream->close();
  stream->expire_after(1ms);
  pair.world.run_for(1s);
  CHECK(pair.client->closed == 1);
}

TEST_CASE("a stream expires exactly when its time is over, unless the time is set again") {
  Pair pair;
  pair.client->stream->expire_after(10s);
  pair.world.run_for(6s);
  pair.client->stream->expire_after(10s);
  const auto begin = pair.world.now();
  REQUIRE(pair.world.run_until([&] { return pair.client->closed == 1; }, 60s));
  CHECK(pair.world.now() - begin == 10s);
  CHECK(pair.client->reason == "STREAM_EXPIRED");
  pair.world.run_for(1s);
  CHECK(pair.server->closed == 1);
  CHECK(pair.server->reason.empty());  // nothing was lost
}

TEST_CASE("a stream wakes its owner once, when the time that was named last has passed") {
  Pair pair;
  pair.client->stream->wake_after(1s);
  pair.client->stream->wake_after(10s);
  const auto begin = pair.world.now();
  REQUIRE(pair.world.run_until([&] { return pair.client->woken == 1; }, 60s));
  CHECK(pair.world.now() - begin == 10s);
  pair.client->stream->wake_after(1s);
  pair.client->stream->abort();
  pair.world.run_for(60s);
  CHECK(pair.client->woken == 1);
}

TEST_CASE("a stream that expires with bytes unsent is lost for its peer") {
  Pair pair;
  pair.server->stream->pause_reading();
  pair.client->stream->write(letters(200'000));
  pair.client->stream->expire_after(10s);
  pair.world.run_for(11s);
  CHECK(pair.client->reason == "STREAM_EXPIRED");
  CHECK(pair.server->reason == "CONNECTION_LOST");
}

TEST_CASE("after close() nothing arrives any more, and the peer's bytes do not hold it up") {
  Pair pair;
  const auto text = letters(300'000);
  pair.client->stream->pause_reading();
  pair.server->stream->write(text);
  pair.world.run_for(1s);
  pair.client->stream->write("last words");
  pair.client->stream->close();
  pair.world.run_for(1s);
  CHECK(pair.client->received.empty());
  CHECK(pair.client->closed == 1);
  CHECK(pair.client->reason.empty());
  CHECK(pair.server->received == "last words");
  CHECK(pair.server->closed == 1);
  CHECK(pair.server->reason.empty());
}

TEST_CASE("when the peer ends, what was written until then is sent before the stream closes") {
  Pair pair;
  bool answered = false;
  pair.server->data = [&](End& end, std::string_view) {
    if (!std::exchange(answered, true)) end.stream->write(letters(1000));
  };
  pair.client->stream->write("question");
  REQUIRE(pair.world.run_until([&] { return answered; }, 1s));
  pair.client->stream->close();
  CHECK(pair.server->closed == 0);
  pair.world.run_for(1s);
  CHECK(pair.server->closed == 1);
  CHECK(pair.server->reason.empty());
}

TEST_CASE("zero takes the expiry back") {
  Pair pair;
  pair.client->stream->expire_after(1s);
  pair.client->stream->expire_after(0s);
  pair.world.run_for(1min);
  CHECK(pair.client->closed == 0);
}

TEST_CASE("connecting fails with a reason: nobody listens, no such host, too slow") {
  Pair pair;
  const auto reason = [&](const Address& address, Duration timeout) {
    std::string result;
    pair.world.outside().network().connect(address, timeout, [&](auto stream) {
      CHECK(result.empty());
      result = stream ? "connected" : stream.error().reason;
      return std::make_shared<End>();
    });
    CHECK(result.empty());
    pair.world.run_for(1s);
    return result;
  };
  CHECK(reason({"node-1", 81}, 1s) == "CONNECTION_REFUSED");
  CHECK(reason({"node-9", 80}, 1s) == "NAME_NOT_RESOLVED");
  CHECK(reason({"node-1", 80}, 1us) == "CONNECT_TIMEOUT");
  CHECK(reason({"node-1", 80}, 1s) == "connected");
  pair.listener.reset();
  CHECK(reason({"node-1", 80}, 1s) == "CONNECTION_REFUSED");
  CHECK(pair.client->closed == 0);  // accepted streams live on
}

TEST_CASE("an address is listened on once, and port 0 is a free one") {
  Pair pair;
  auto& network = pair.machine.platform()->network();
  const auto accept = [](std::shared_ptr<Stream>) { return nullptr; };
  CHECK(network.listen({"node-1", 80}, accept).error().reason == "ADDRESS_IN_USE");
  CHECK(network.listen({"nowhere", 80}, accept).error().code == Code::invalid_argument);
  auto one = network.listen({"0.0.0.0", 0}, accept);
  auto two = network.listen({"node-1", 0}, accept);
  REQUIRE(one);
  REQUIRE(two);
  CHECK((*one)->local().host == "node-1");
  CHECK((*one)->local().port != 0);
  CHECK((*one)->local() != (*two)->local());
  // A refused stream is reset.
  const auto end = std::make_shared<End>();
  pair.world.outside().network().connect((*one)->local(), 1s, [&](auto stream) {
    REQUIRE(stream);
    return end;
  });
  pair.world.run_for(1s);
  CHECK(end->closed == 1);
  CHECK(end->reason == "CONNECTION_LOST");
}

TEST_CASE("when a machine crashes its peers are reset and its own handlers hear nothing") {
  Pair pair;
  pair.server->stream->write(letters(10));
  pair.world.run_for(1s);
  std::weak_ptr<End> server = pair.server;
  pair.server->stream->write("never sent");
  pair.server->stream.reset();
  pair.world.crash(pair.machine);
  pair.world.run_for(1s);
  CHECK(pair.client->received == letters(10));
  CHECK(pair.client->reason == "CONNECTION_LOST");
  CHECK(pair.server->closed == 0);
  pair.server.reset();
  pair.listener.reset();
  CHECK(server.expired());  // the network let go of it
}

}  // namespace
}  // namespace troupe::simulations
