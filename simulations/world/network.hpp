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
// What goes wrong on the way (PathFaults) does so below the byte streams, as below TCP. So a
// segment that is lost comes late, after one or more retransmissions, and holds up those behind it;
// one that is duplicated is never seen twice, so there is no such fault. While a path is blocked,
// everything on it waits, ends and resets too; once it is free, all of it arrives after a
// retransmission, in order. A connection that is being made fails when its time is over. There is
// no path from a machine to itself.
//
// Secured connections take one more round trip and carry the identities of security.hpp. A plain
// client of a secured listener is connected and then reset, and the owner of neither end of a
// refused connection sees a stream; a secured client of a plain listener is refused without the
// listener's knowing, where an operating system's would read a few bytes that it does not expect.
//
// Callbacks run in events of the loop. What they throw is not caught: it ends the simulation.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "runtime/platform/network.hpp"
#include "simulations/world/life.hpp"
#include "simulations/world/security.hpp"

namespace troupe::simulations {

// How far apart machines are: bounds of the delay of one segment, both included.
struct NetworkTimes {
  Duration min = std::chrono::microseconds{30};
  Duration max = std::chrono::milliseconds{1};
};

// What goes wrong on the way from one machine to another, in this direction. All off at first.
struct PathFaults {
  // Every segment takes longer: by an exponential distribution with a mean of about a tenth of this
  // bound, one segment in fifty by anything up to it.
  Duration slow_by_max{0};
  // Chance, in millionths, that a segment is lost; its retransmission comes 200 ms later and may be
  // lost as well, the next one 400 ms later, and so on.
  std::uint32_t lost = 0;
  bool blocked = false;

  friend bool operator==(const PathFaults&, const PathFaults&) = default;
};

class SimStream;

// All wires of a world. Machines are known by number; 0 is the outside.
class Fabric {
 public:
  Fabric(EventLoop& event_loop, std::uint64_t seed, NetworkTimes times)
      : loop(event_loop), seed_(seed), times_(times) {}
  Fabric(const Fabric&) = delete;
  Fabric& operator=(const Fabric&) = delete;

  static constexpr std::size_t window_bytes = 64 * 1024;

  void add_host(const std::string& name, std::uint32_t node) { hosts_.emplace(name, node); }

  // --- faults; hold from now on -----------------------------------------------------------------
  void set_path(std::uint32_t from, std::uint32_t to, const PathFaults& faults);
  // Whether connections to the machine are refused, as if nothing listened.
  void set_refusing(std::uint32_t node, bool refusing);
  // Resets the connections between two machines; how many there were.
  std::size_t reset_connections(std::uint32_t one, std::uint32_t other);

  // Forgets a life's listeners and streams and destroys their handlers; peers see a reset.
  void drop(const Life& life);

  // --- for networks and streams -----------------------------------------------------------------
  EventLoop& loop;

  struct Listening {
    std::shared_ptr<Life> life;
    runtime::Network::Accept accept;
    std::shared_ptr<SimSecurity> security;  // null: plain
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
  RandomStream fault_random(std::uint32_t node, std::uint64_t user) const {
    return {seed_, Domain::network_faults, node, user};
  }
  Duration delay(RandomStream& random) const;

  bool refuses(std::uint32_t node) const { return refusing_.contains(node); }
  // The machine that a connection to the address would reach; nullopt: the one that it comes from.
  std::optional<std::uint32_t> node_at(const runtime::Address& address) const;

  // What faults add to the delay of a segment.
  Duration extra_delay(std::uint32_t from, std::uint32_t to, RandomStream& random) const {
    return paths_.empty() ? Duration{0} : draw_extra(from, to, random);
  }
  bool passes(std::uint32_t from, std::uint32_t to) const {
    return paths_.empty() || !holds(from, to);
  }
  // Lets something arrive: now, or behind all else that waits for the path.
  template <class Arrive>
  void pass(std::uint32_t from, std::uint32_t to, Arrive&& arrive) {
    if (passes(from, to)) {
      arrive();
    } else {
      paths_.at({from, to}).held.emplace_back(std::forward<Arrive>(arrive));
    }
  }

 private:
  struct Path {
    PathFaults faults;
    std::vector<std::function<void()>> held;
    bool freed = false;  // what was held arrives soon
  };
  bool holds(std::uint32_t from, std::uint32_t to) const;
  Duration draw_extra(std::uint32_t from, std::uint32_t to, RandomStream& random) const;
  void release(std::uint32_t from, std::uint32_t to);

  std::uint64_t seed_;
  NetworkTimes times_;
  std::uint64_t randoms_ = 0;
  std::uint64_t releases_ = 0;
  std::map<std::string, std::uint32_t> hosts_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, Path> paths_;  // those with faults
  std::set<std::uint32_t> refusing_;
  std::map<std::string, std::uint16_t> last_port_;
};

// Must be owned by a shared_ptr: a connection that is being made outlives a call.
class SimNetwork final : public runtime::Network, public std::enable_shared_from_this<SimNetwork> {
 public:
  // The certificate is the machine's.
  SimNetwork(std::shared_ptr<Life> life, Fabric& fabric, const SimCertificate& certificate)
      : life_(std::move(life)), fabric_(fabric), certificate_(certificate) {}

  Result<std::shared_ptr<runtime::Security>> load_security(
      const runtime::CredentialFiles& files) override;
  Result<std::unique_ptr<runtime::Listener>> listen(
      const runtime::Address& address, Accept accept,
      std::shared_ptr<runtime::Security> security) override;
  void connect(const runtime::Address& address, Duration timeout, Connected connected,
               std::shared_ptr<runtime::Security> security) override;

  // The process is about to end: everything that the network holds of it goes, and its peers see a
  // reset. Must come before the process's actor system is destroyed, since handlers hold actors.
  void drop();

 private:
  using Answer = Result<std::shared_ptr<SimStream>>;
  void reach(std::uint64_t attempt, const runtime::Address& address, std::uint32_t there,
             Duration back);
  // The two ends of a new connection: theirs, ours.
  std::pair<std::shared_ptr<SimStream>, std::shared_ptr<SimStream>> make_ends(
      const Fabric::Listening& listening, const SimSecurity* security,
      const runtime::Address& address, Duration back);
  void answer(std::uint64_t attempt, Duration delay, std::uint32_t from, Answer result);
  void answered(std::uint64_t attempt, const Answer& result);
  // A packet of the attempt is held up; the attempt's time may end before it passes.
  void may_expire(std::uint64_t attempt);

  std::shared_ptr<Life> life_;
  Fabric& fabric_;
  const SimCertificate& certificate_;
  // What waits for a connection. Events hold the number only, so that drop() can let go.
  struct Attempt {
    Connected connected;
    runtime::Address address;
    Duration deadline;
    std::shared_ptr<SimSecurity> security;
  };
  std::map<std::uint64_t, Attempt> attempts_;
  std::uint64_t last_attempt_ = 0;
};

}  // namespace troupe::simulations
