// One life of a node: from a start to its end or its crash. All parts of a node's platform share
// it, and ask it whether they may still act: after a crash nothing that the dying process does has
// an effect, although its code goes on running until it is torn down.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/error.hpp"
#include "simulations/world/event_loop.hpp"
#include "simulations/world/random.hpp"
#include "simulations/world/trace.hpp"

namespace troupe::simulations {

class Life : public std::enable_shared_from_this<Life> {
 public:
  Life(std::uint64_t seed, EventLoop& event_loop, Trace& trace, std::uint32_t node,
       std::string node_name, std::uint32_t number)
      : loop(event_loop),
        seed_(seed),
        trace_(trace),
        node_(node),
        name_(std::move(node_name)),
        number_(number) {}
  Life(const Life&) = delete;
  Life& operator=(const Life&) = delete;

  EventLoop& loop;

  std::uint32_t node() const { return node_; }
  const std::string& node_name() const { return name_; }

  // The fence. Closed once and for ever.
  bool over() const { return over_; }
  void end();

  // The process stands still (SIGSTOP, or its machine does) and goes on with resume(). Its code
  // does not run meanwhile, and what comes for it waits.
  bool paused() const { return paused_; }
  void pause();
  void resume();

  // Lets something happen that runs the process's code: now, or when it goes on. Dropped if the
  // life ends before.
  template <class What>
  void when_running(What&& what) {
    if (paused_) {
      waiting_.emplace_back(std::forward<What>(what));
    } else {
      what();
    }
  }

  // The node ends by itself: a fail-stop or a power cut. Ends the life and tells the world, which
  // tears the process down as soon as its code has returned. At most the first call counts.
  void crash(const Error& why);
  std::function<void(const Error&)> on_crash;

  // A stream of this node and life; `sequence` tells the streams of one domain apart.
  RandomStream stream(Domain domain, std::uint32_t sequence = 0) const {
    return {seed_, domain, node_, std::uint64_t{number_} << 32 | sequence};
  }

  // An event of this node. What happens after the end is not part of the trace.
  void record(std::string_view kind, std::string_view name, std::string_view bytes = {});

 private:
  std::uint64_t seed_;
  Trace& trace_;
  std::uint32_t node_;
  std::string name_;
  std::uint32_t number_;
  bool over_ = false;
  bool paused_ = false;
  bool resuming_ = false;
  std::vector<std::function<void()>> waiting_;  // while it is paused
};

}  // namespace troupe::simulations
