#include "simulations/world/event_loop.hpp"

#include <doctest/doctest.h>

#include <string>

namespace troupe::simulations {
namespace {

using namespace std::chrono_literals;

void run_all(EventLoop& loop) {
  while (loop.next_due()) loop.run_next();
}

TEST_CASE("events happen in the order of their times, and of their making at one time") {
  EventLoop loop;
  std::string order;
  loop.at(20ms, [&] { order += 'c'; });
  loop.at(10ms, [&] { order += 'a'; });
  loop.at(10ms, [&] { order += 'b'; });
  run_all(loop);
  CHECK(order == "abc");
  CHECK(loop.now() == 20ms);
}

TEST_CASE("time jumps to the event and stands still while it happens") {
  EventLoop loop;
  Duration first{};
  Duration second{};
  loop.after(1s, [&] {
    first = loop.now();
    loop.after(1ns, [&] { second = loop.now(); });
  });
  run_all(loop);
  CHECK(first == 1s);
  CHECK(second == 1s + 1ns);
}

TEST_CASE("an event for a time in the past happens now, after those that are due") {
  EventLoop loop;
  std::string order;
  loop.at(10ms, [&] {
    loop.at(5ms, [&] {
      order += 'b';
      CHECK(loop.now() == 10ms);
    });
  });
  loop.at(10ms, [&] { order += 'a'; });
  run_all(loop);
  CHECK(order == "ab");
}

TEST_CASE("a cancelled event does not happen, and cancelling twice is fine") {
  EventLoop loop;
  bool happened = false;
  const auto key = loop.after(1ms, [&] { happened = true; });
  loop.cancel(key);
  loop.cancel(key);
  CHECK_FALSE(loop.next_due());
  run_all(loop);
  CHECK_FALSE(happened);
}

}  // namespace
}  // namespace troupe::simulations
