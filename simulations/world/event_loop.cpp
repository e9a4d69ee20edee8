#include "simulations/world/event_loop.hpp"

#include <algorithm>

#include "simulations/world/check.hpp"

namespace troupe::simulations {

EventLoop::Key EventLoop::at(Duration when, std::function<void()> happen) {
  const Key key{std::max(when, now_), ++scheduled_};
  events_.emplace(key, std::move(happen));
  return key;
}

std::optional<Duration> EventLoop::next_due() const {
  if (events_.empty()) return std::nullopt;
  return events_.begin()->first.first;
}

void EventLoop::run_next() {
  auto next = events_.extract(events_.begin());
  advance_to(next.key().first);
  next.mapped()();
}

void EventLoop::advance_to(Duration when) {
  check(when >= now_, "virtual time went back");
  now_ = when;
}

}  // namespace troupe::simulations
