// Byte streams between the machines of a world.
//
// Hosts: every machine has its name as its host name. IP literals and "localhost" are hosts of the
// whole world, as if all machines were one. Listening on 0.0.0.0 or :: means the machine's own
// name. Other names do not resolve.
//
// A connection delivers every byte once and in order, or is lost. What is written leaves in
// segments of drawn sizes (now and then a few bytes only, to try parsers) and arrives after drawn
// delays. At most `window_bytes` are on their way or unread by the receiver; more stays with the
// sender as unsent(). When a machine crashes, its peers see a lost connection after a delay. Errors
// are those of an operating system's network.
//
// Callbacks run in events of the loop. What they throw is not caught: it ends the simulation.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include "runtime/platform/network.hpp"
#include "simulations/world/life.hpp"

namespace troupe::simulations {

// How far apart machines are: bounds of the delay of one segment, both included.
struct NetworkTimes {
  Duration min = std::chrono::microseconds{30};
  Duration max = std::chrono::milliseconds{1};
};

class SimStream;

// All wires of a world.
class Fabric {
 public:
  Fabric(EventLoop& event_loop, std::uint64_t seed, NetworkTimes times)
      : loop(event_loop), seed_(seed), times_(times) {}
  Fabric(const Fabric&) = delete;
  Fabric& operator=(const Fabric&) = delete;

  static constexpr std::size_t window_bytes = 64 * 1024;

  void add_host(const std::string& name) { hosts_.insert(name); }

  // Forgets a life's listeners and streams and destroys their handlers; peers see a reset.
  void drop(const Life& life);

  // --- for networks and streams -----------------------------------------------------------------
  EventLoop& loop;

  struct Listening {
    std::shared_ptr<Life> life;
    runtime::Network::Accept accept;
  };
  std::map<std::pair<std::string, std::uint16_t>, Listening> listening;
  std::map<std::uint64_t, std::shared_ptr<SimStream>> streams;  // open ones, by number
  std::uint64_t streams_made = 0;

  bool resolves(const std::string& host) const;

  // A port of the host that nothing listens on and that was not given before (49152 to 65535, then
  // from the start).
  std::uint16_t free_port(const std::string& host);

  // Every user draws from a stream of random numbers of its own.
  RandomStream next_random(std::uint32_t node) {
    return {seed_, Domain::network, node, ++randoms_};
  }
  Duration delay(RandomStream& random) const;

 private:
  std::uint64_t seed_;
  NetworkTimes times_;
  std::uint64_t randoms_ = 0;
  std::set<std::string> hosts_;
  std::map<std::string, std::uint16_t> last_port_;
};

// Must be owned by a shared_ptr: a connection that is being made outlives a call.
class SimNetwork final : public runtime::Network, public std::enable_shared_from_this<SimNetwork> {
 public:
  SimNetwork(std::shared_ptr<Life> life, Fabric& fabric)
      : life_(std::move(life)), fabric_(fabric) {}

  Result<std::unique_ptr<runtime::Listener>> listen(const runtime::Address& address,
                                                    Accept accept) override;
  void connect(const runtime::Address& address, Duration timeout, Connected connected) override;

  // The process is about to end: everything that the network holds of it goes, and its peers see a
  // reset. Must come before the process's actor system is destroyed, since handlers hold actors.
  void drop();

 private:
  void reach(std::uint64_t attempt, const runtime::Address& address, Duration back);
  void answer(std::uint64_t attempt, Duration delay, Result<std::shared_ptr<SimStream>> result);

  std::shared_ptr<Life> life_;
  Fabric& fabric_;
  // What waits for a connection. Events hold the number only, so that drop() can let go.
  std::map<std::uint64_t, Connected> attempts_;
  std::uint64_t last_attempt_ = 0;
};

}  // namespace troupe::simulations
