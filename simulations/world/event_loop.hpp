// Virtual time, and what will happen in it.
//
// Time is the span since the world began. It never flows: it jumps to the next event that is due.
//
// The order of everything, in one place. Whatever the world does next is the first of these:
//
// 1. A job of an actor, if any actor has one: machines in the order in which they were added, one
//    message each. Which of a machine's jobs it is, the world's Schedule says (World::step,
//    JobChooser::choose): normally first in, first out; or at random, by drawn priorities that
//    change at drawn moments, or all before one that is starved, each from a stream of random
//    numbers of its own. Messages of one sender to one receiver keep their order in any case.
//    Actors take no time: the clock stands still while one has something to do.
// 2. What is due earliest: an actor's timeout or an event of this loop. At the same time actors'
//    timeouts go first, machines in their order and timeouts in the order in which they were set;
//    then events in the order in which they were scheduled (their sequence number). A timeout is
//    due when its node's clock says so; with a change of the clock's drift it moves.
//
// So two events at one time happen in the order in which their causes happened.
//
// A machine that is paused is left out: no jobs, no timeouts. What an event of this loop would do
// to its process waits (Life::when_running) and happens in one event when the process goes on, in
// the order in which it came, before anything that comes later. What cannot pass between two
// machines waits in the same way for the path to be free (Fabric::pass).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <utility>

#include "runtime/time.hpp"

namespace troupe::simulations {

class EventLoop {
 public:
  // Names a scheduled event.
  using Key = std::pair<Duration, std::uint64_t>;  // when, sequence number

  EventLoop() = default;
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  Duration now() const { return now_; }

  // A time in the past means now.
  Key at(Duration when, std::function<void()> happen);
  Key after(Duration delay, std::function<void()> happen) {
    return at(now_ + delay, std::move(happen));
  }

  // Cancelling what has happened or was cancelled before is no error.
  void cancel(const Key& key) { events_.erase(key); }

  // When the next event is due, if there is one.
  std::optional<Duration> next_due() const;

  // Jumps to the next event and lets it happen.
  void run_next();

  // Jumps to a time before which nothing is due. Going back is a bug and aborts.
  void advance_to(Duration when);

 private:
  std::map<Key, std::function<void()>> events_;
  std::uint64_t scheduled_ = 0;
  Duration now_{0};
};

}  // namespace troupe::simulations
