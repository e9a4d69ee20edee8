// One connection from outside to a machine of a world, and what happens to its ends.
#pragma once

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "tests/simulations/world/support.hpp"

namespace troupe::simulations {

// Remembers everything that happens to one end of a connection.
struct End final : runtime::StreamHandler {
  std::shared_ptr<runtime::Stream> stream;
  std::string received;
  std::size_t pieces = 0;
  int drained = 0;
  int woken = 0;
  int closed = 0;
  std::string reason;  // of the error, or empty
  std::function<void(End&, std::string_view)> data;

  void on_data(std::string_view bytes) override {
    CHECK(closed == 0);
    received += bytes;
    ++pieces;
    if (data) data(*this, bytes);
  }
  void on_closed(const Result<void>& why) override {
    ++closed;
    if (!why) reason = why.error().reason;
    stream.reset();
  }
  void on_drained() override { ++drained; }
  void on_wake() override { ++woken; }
};

// A world with a server on node-1:80 and one connection from outside.
struct Pair {
  World world;
  Machine& machine;
  std::unique_ptr<runtime::Listener> listener;
  std::shared_ptr<End> server = std::make_shared<End>();
  std::shared_ptr<End> client = std::make_shared<End>();

  explicit Pair(std::uint64_t seed = 1, TraceSink* sink = nullptr)
      : world{{.seed = seed, .sink = sink}}, machine{world.add("node-1", bare_process())} {
    REQUIRE(world.start(machine));
    auto& network = machine.platform()->network();
    auto listening =
        network.listen({"node-1", 80}, [this](std::shared_ptr<runtime::Stream> stream) {
          server->stream = std::move(stream);
          return server;
        });
    REQUIRE(listening);
    listener = std::move(*listening);
    world.outside().network().connect({"node-1", 80}, 1s, [this](auto result) {
      REQUIRE(result);
      client->stream = std::move(*result);
      return client;
    });
    REQUIRE(world.run_until([&] { return client->stream && server->stream; }, 1s));
  }
};

inline std::string letters(std::size_t count) {
  std::string text(count, ' ');
  for (std::size_t i = 0; i < count; ++i) text[i] = static_cast<char>('a' + i % 26);
  return text;
}

}  // namespace troupe::simulations
