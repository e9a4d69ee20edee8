// One life of a node: from a start to its end or its crash. All parts of a node's platform share
// it, and ask it whether they may still act: after a crash nothing that the dying process does has
// an effect, although its code goes on running until it is torn down.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "runtime/error.hpp"
#include "simulations/world/event_loop.hpp"
#include "simulations/world/random.hpp"
#include "simulations/world/trace.hpp"

namespace troupe::simulations {

class Life {
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
  void end() { over_ = true; }

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
};

}  // namespace troupe::simulations
