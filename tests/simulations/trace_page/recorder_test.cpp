#include "simulations/trace_page/recorder.hpp"

#include <doctest/doctest.h>

#include <map>

using namespace troupe::simulations;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using troupe::Duration;

namespace {

class Tape {
 public:
  void event(const std::string& node, const std::string& kind, const std::string& name,
             const std::string& bytes = "") {
    time += microseconds{10};
    recorder.on_event({time, 1, node, kind, name, bytes, 0});
  }
  void send(const std::string& way, int number, const std::string& bytes) {
    event(way.substr(0, way.find(':')), "net.send", way + '#' + std::to_string(number), bytes);
  }
  void operation(const std::string& entity) {
    recorder.add({.time = time,
                  .node = "",
                  .kind = "operation.success",
                  .name = "Deposit",
                  .detail = "",
                  .until = time,
                  .entity = entity});
  }

  Duration time{};
  PageRecorder recorder;
};

const std::string way = "outside:50000>n1:8080";
const std::string back = "n1:8080>outside:50000";

// The entities of the messages, by name.
std::map<std::string, std::string> entities(PageRecorder& recorder) {
  std::map<std::string, std::string> found;
  for (const auto& event : recorder.take().events)
    if (event.kind == "message") found[event.name] = event.entity;
  return found;
}

}  // namespace

TEST_CASE("a message goes from its sender to its receiver, who may get it later or never") {
  Tape tape;
  tape.send(way, 1, "abc");
  tape.send(way, 2, "d");
  tape.event("n1", "net.data", way + "#1", "abc");
  const auto events = tape.recorder.take().events;
  REQUIRE(events.size() == 2);
  CHECK(events[0].kind == "message");
  CHECK(events[0].node == "outside");
  CHECK(events[0].peer == "n1");
  CHECK(events[0].time == microseconds{10});
  CHECK(events[0].until == microseconds{30});
  CHECK(events[0].detail == "3 bytes\nabc");
  CHECK_FALSE(events[1].until);
}

TEST_CASE("a message's bytes are shown as text, and not endlessly") {
  Tape tape;
  tape.send(way, 1, std::string("\x00\x1b[31mX\r\n\xff", 10) + std::string(1000, 'y'));
  const auto detail = tape.recorder.take().events.at(0).detail;
  CHECK(detail.starts_with("1010 bytes\n..[31mX\n.yyy"));
  CHECK(detail.size() < 200);
}

TEST_CASE("a fault lasts until it is healed") {
  Tape tape;
  tape.event("n1", "fault", "1s full_disk n1 lasts=2s");
  tape.event("n2", "fault", "1s kill n2");
  tape.event("n1", "fault", "healed: 1s full_disk n1 lasts=2s");
  const auto events = tape.recorder.take().events;
  REQUIRE(events.size() == 2);
  CHECK(events[0].name == "1s full_disk n1 lasts=2s");
  CHECK(events[0].until == microseconds{30});
  CHECK_FALSE(events[1].until);
}

TEST_CASE("processes are shown as they start and end; what actors and disks do is not") {
  Tape tape;
  for (const auto* kind : {"start", "job", "disk.sync", "timeout", "work", "crash", "kill", "stop"})
    tape.event("n1", kind, "1");
  std::string kinds;
  for (const auto& event : tape.recorder.take().events) kinds += event.kind + ' ';
  CHECK(kinds == "start crash kill stop ");
}

TEST_CASE("log lines are states, warnings and errors, with their entity") {
  using troupe::runtime::LogLevel;
  LogBook log;
  const auto line = [&](LogLevel level, const std::string& event, const std::string& text) {
    log.lines.push_back({milliseconds{1}, "n1", level, event, text});
  };
  line(LogLevel::debug, "raft.tick", "x");
  line(LogLevel::info, "raft.leading", "x");
  line(LogLevel::warn, "shard.refusing", "x");
  line(LogLevel::warn, "supervisor.restart", R"(x: y entity="b \"o\" b" shard=1)");
  line(LogLevel::error, "entity.restarted", "x: y entity=bob shard=1");
  PageRecorder recorder;
  recorder.add(log);
  const auto events = recorder.take().events;
  REQUIRE(events.size() == 4);
  CHECK(events[0].kind == "state");
  CHECK(events[1].kind == "state");
  CHECK(events[2].kind == "log.warn");
  CHECK(events[2].entity == "b \"o\" b");
  CHECK(events[3].kind == "log.error");
  CHECK(events[3].entity == "bob");
}

TEST_CASE("messages have the entity of the request to which they belong, and of its answer") {
  Tape tape;
  tape.operation("bob");
  tape.operation("a/b c");
  tape.send(back, 1, "greeting");
  tape.send(way, 1, "POST /v1/accounts/bob:deposit HTTP/1.1\r\nHost: n1\r\n\r\n{");
  tape.send(way, 2, "}");
  tape.send(back, 2, "HTTP/1.1 200 OK\r\n\r\n");
  tape.send(way, 3, "GET /v1/accounts/a%2Fb%20c/statement?x=bob HTTP/1.1\r\n\r\n");
  tape.send(back, 3, "HTTP/1.1 200 OK\r\n\r\n");
  tape.send(way, 4, "GET /v1/accounts/carol HTTP/1.1\r\n\r\n");
  auto found = entities(tape.recorder);
  CHECK(found[back + "#1"] == "");
  CHECK(found[way + "#1"] == "bob");
  CHECK(found[way + "#2"] == "bob");
  CHECK(found[back + "#2"] == "bob");
  CHECK(found[way + "#3"] == "a/b c");
  CHECK(found[back + "#3"] == "a/b c");
  CHECK(found[way + "#4"] == "");  // nobody told of carol
}

TEST_CASE("a request that comes in small pieces is known by all of them") {
  const std::string request = "POST /v1/accounts/bob:deposit HTTP/1.1\r\nHost: n1\r\n\r\n";
  for (std::size_t size = 1; size < 45; ++size) {
    Tape tape;
    tape.operation("bob");
    tape.send(way, 1000, "GET /other HTTP/1.1\r\n\r\n");
    int number = 0;
    for (std::size_t at = 0; at < request.size(); at += size)
      tape.send(way, ++number, request.substr(at, size));
    tape.send(way, ++number, "P");  // of the body: only looks like a request
    tape.send(way, ++number, "ut");
    auto found = entities(tape.recorder);
    CHECK(found[way + "#1000"] == "");
    for (int i = 1; i <= number; ++i)
      CHECK_MESSAGE(found[way + '#' + std::to_string(i)] == "bob", size, " ", i);
  }
}

TEST_CASE("of a long run the last events are kept, in the order of their time") {
  Tape tape;
  tape.operation("bob");  // is older than all that is kept
  for (int i = 1; i <= static_cast<int>(page_events_max) + 100; ++i) tape.send(way, i, "x");
  tape.event("n1", "net.data", way + "#1", "x");
  tape.event("n1", "net.data", way + "#150", "x");
  tape.operation("bob");
  const auto page = tape.recorder.take();
  CHECK(page.events.size() == page_events_max);
  CHECK(page.dropped == 102);
  CHECK(page.events.front().name == way + "#102");
  CHECK(page.events.back().kind == "operation.success");
  for (const auto& event : page.events)
    if (event.name == way + "#150") CHECK(event.until);
  CHECK(tape.recorder.take().events.empty());
}
