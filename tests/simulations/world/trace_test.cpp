#include "simulations/world/trace.hpp"

#include <doctest/doctest.h>

#include <map>

#include "tests/simulations/world/connection.hpp"

namespace troupe::simulations {
namespace {

struct Sink final : TraceSink {
  std::uint64_t events = 0;
  std::uint64_t hash = 0;
  std::map<std::string, std::string> sent;      // by name
  std::map<std::string, std::string> received;  // likewise
  std::vector<std::string> faults;

  void on_event(const TraceEvent& event) override {
    ++events;
    hash = event.hash;
    if (event.kind == "net.send") CHECK(sent.emplace(event.name, event.bytes).second);
    if (event.kind == "net.data") CHECK(received.emplace(event.name, event.bytes).second);
    if (event.kind == "fault") {
      faults.push_back(std::string{event.node_name} + '/' + std::to_string(event.node) + ' ' +
                       std::string{event.name});
    }
  }
};

TEST_CASE("a sink sees every event, pairs of segments by name, and changes no hash") {
  Sink sink;
  const auto run = [](TraceSink* given) {
    Pair pair{7, given};
    pair.client->stream->write(letters(100'000));
    pair.server->stream->write("back");
    pair.world.note_fault("node-1", "a fault");
    pair.world.run_for(1s);
    pair.world.note_fault("outside", "another");
    return std::pair{pair.world.trace_hash(), pair.world.events()};
  };
  const auto [hash, events] = run(&sink);
  CHECK(run(nullptr) == std::pair{hash, events});
  CHECK(sink.events >= events);  // the end of the world is in it, too
  CHECK(sink.sent.size() > 10);
  CHECK(sink.sent == sink.received);
  CHECK(sink.received.at("node-1:80>outside:49152#1") == "back");
  CHECK(sink.faults == std::vector<std::string>{"node-1/1 a fault", "outside/0 another"});
}

}  // namespace
}  // namespace troupe::simulations
