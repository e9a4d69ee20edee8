// What goes wrong between machines.
#include <doctest/doctest.h>

#include "simulations/world/network.hpp"
#include "tests/simulations/world/connection.hpp"

namespace troupe::simulations {
namespace {

// How long a text of ten segments or so takes to arrive whole.
Duration arrival(std::uint64_t seed, const PathFaults& faults) {
  Pair pair{seed};
  pair.world.set_path("outside", "node-1", faults);
  const auto text = letters(60'000);
  const auto begin = pair.world.now();
  pair.client->stream->write(text);
  REQUIRE(pair.world.run_until([&] { return pair.server->received.size() == text.size(); }, 1h));
  CHECK(pair.server->received == text);
  return pair.world.now() - begin;
}

TEST_CASE("a slow path delays within its bound, a lossy one by retransmissions, in order") {
  Duration slowest{0};
  Duration sum{0};
  int retransmitted = 0;
  constexpr int seeds = 40;
  for (int seed = 1; seed <= seeds; ++seed) {
    CAPTURE(seed);
    const auto plain = arrival(seed, {});
    CHECK(plain < 5ms);
    const auto slow = arrival(seed, {.slow_by_max = 1s});
    CHECK(slow < 1s + 5ms);
    slowest = std::max(slowest, slow);
    sum += slow;
    const auto lossy = arrival(seed, {.lost = 100'000});
    CHECK((lossy < 5ms || lossy >= 200ms));
    retransmitted += lossy >= 200ms;
  }
  CHECK(slowest > 400ms);      // the tail
  CHECK(sum / seeds < 600ms);  // the slowest of a dozen segments, mostly far below the bound
  CHECK(sum / seeds > 50ms);
  CHECK(retransmitted > seeds / 4);
}

TEST_CASE("a blocked path holds bytes and ends back, one way, and lets them go in order") {
  Pair pair;
  pair.client->stream->write("on the way when it happens, ");
  pair.world.set_path("outside", "node-1", {.blocked = true});
  pair.world.run_for(10s);
  pair.client->stream->write("written meanwhile");
  pair.server->stream->write("the other way");
  pair.client->stream->close();
  pair.world.run_for(10s);
  CHECK(pair.server->received.empty());
  CHECK(pair.server->closed == 0);
  CHECK(pair.client->received.empty());  // it closes, so it reads no more
  pair.world.set_path("outside", "node-1", {});
  pair.world.run_for(1s);
  CHECK(pair.server->received == "on the way when it happens, written meanwhile");
  CHECK(pair.server->closed == 1);
  CHECK(pair.server->reason.empty());
}

TEST_CASE("the other direction of a blocked path is free") {
  Pair pair;
  pair.world.set_path("outside", "node-1", {.blocked = true});
  pair.server->stream->write(letters(50'000));
  pair.world.run_for(1s);
  CHECK(pair.client->received == letters(50'000));
}

TEST_CASE("a path that is blocked again at once holds on, and one that heals twice lets go once") {
  Pair pair;
  pair.world.set_path("outside", "node-1", {.blocked = true});
  pair.client->stream->write("bytes");
  pair.world.run_for(1s);
  pair.world.set_path("outside", "node-1", {});
  pair.world.set_path("outside", "node-1", {.blocked = true});
  pair.world.run_for(10s);
  CHECK(pair.server->received.empty());
  pair.world.set_path("outside", "node-1", {});
  pair.world.set_path("outside", "node-1", {});
  pair.world.run_for(1s);
  CHECK(pair.server->received == "bytes");
}

TEST_CASE("a crash on the far side of a blocked path is seen when it is free") {
  Pair pair;
  pair.world.set_path("node-1", "outside", {.blocked = true});
  pair.server->stream.reset();
  pair.server.reset();
  pair.world.crash(pair.machine);
  pair.world.run_for(10s);
  CHECK(pair.client->closed == 0);
  pair.world.set_path("node-1", "outside", {});
  pair.world.run_for(1s);
  CHECK(pair.client->reason == "CONNECTION_LOST");
}

std::string connect(World& world, Duration timeout, const std::function<void()>& meanwhile,
                    std::shared_ptr<End>& end) {
  std::string result;
  end = std::make_shared<End>();
  world.outside().network().connect({"node-1", 80}, timeout, [&](auto stream) {
    CHECK(result.empty());
    result = stream ? "connected" : stream.error().reason;
    if (stream) end->stream = std::move(*stream);
    return end;
  });
  world.run_for(500ms);
  CHECK(result.empty());
  meanwhile();
  world.run_for(10s);
  return result;
}

TEST_CASE("a connection over a blocked path is made when it heals in time, and fails otherwise") {
  for (const bool forth : {true, false}) {
    CAPTURE(forth);
    const auto block = [&](World& world, bool blocked) {
      world.set_path(forth ? "outside" : "node-1", forth ? "node-1" : "outside",
                     {.blocked = blocked});
    };
    Pair pair;
    std::shared_ptr<End> end;
    block(pair.world, true);
    CHECK(connect(
              pair.world, 5s, [] {}, end) == "CONNECT_TIMEOUT");
    block(pair.world, false);
    pair.world.run_for(1s);
    pair.server = std::make_shared<End>();  // for the next connection
    block(pair.world, true);
    CHECK(connect(
              pair.world, 5s, [&] { block(pair.world, false); }, end) == "connected");
    end->stream->write("question");
    pair.world.run_for(1s);
    CHECK(pair.server->received == "question");
    pair.server->stream->write("answer");
    pair.world.run_for(1s);
    CHECK(end->received == "answer");
  }
}

TEST_CASE("a listener whose client gave up before the answer passed sees the connection lost") {
  Pair pair;
  pair.server = std::make_shared<End>();  // for the next connection
  std::shared_ptr<End> end;
  pair.world.set_path("node-1", "outside", {.blocked = true});
  CHECK(connect(
            pair.world, 2s, [] {}, end) == "CONNECT_TIMEOUT");
  CHECK(pair.server->stream != nullptr);
  CHECK(pair.server->closed == 0);
  pair.world.set_path("node-1", "outside", {});
  pair.world.run_for(1s);
  CHECK(pair.server->reason == "CONNECTION_LOST");
}

TEST_CASE("a refusing machine refuses new connections and keeps those that it has") {
  Pair pair;
  pair.world.set_refusing("node-1", true);
  std::string result;
  const auto try_it = [&] {
    pair.world.outside().network().connect({"node-1", 80}, 1s, [&](auto stream) {
      result = stream ? "connected" : stream.error().reason;
      return std::make_shared<End>();
    });
    pair.world.run_for(1s);
    return result;
  };
  CHECK(try_it() == "CONNECTION_REFUSED");
  CHECK(pair.client->closed == 0);
  pair.world.set_refusing("node-1", false);
  CHECK(try_it() == "connected");
}

TEST_CASE("a reset is seen by both ends once") {
  Pair pair;
  pair.client->stream->write(letters(200'000));
  pair.server->stream->write("x");
  CHECK(pair.world.reset_connections("node-1", "node-1") == 0);
  CHECK(pair.world.reset_connections("outside", "node-1") == 1);
  CHECK(pair.client->closed == 0);
  pair.world.run_for(1s);
  CHECK(pair.client->closed == 1);
  CHECK(pair.client->reason == "CONNECTION_LOST");
  CHECK(pair.server->closed == 1);
  CHECK(pair.server->reason == "CONNECTION_LOST");
  CHECK(pair.world.reset_connections("outside", "node-1") == 0);
}

}  // namespace
}  // namespace troupe::simulations
