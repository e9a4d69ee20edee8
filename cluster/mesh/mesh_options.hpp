// How a node's mesh is set up, and what it tells of itself.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/supervision.hpp"
#include "runtime/platform/network.hpp"
#include "runtime/result.hpp"
#include "runtime/time.hpp"

namespace troupe::cluster {

struct MeshOptions {
  // Who we are. Two nodes of one cluster have one cluster id and different names; every start of a
  // node has an incarnation of its own, drawn from Platform::random().
  std::string cluster;
  std::string node;
  std::uint64_t incarnation = 0;

  // With which streams are secured, on both sides; null: they are plain.
  std::shared_ptr<runtime::Security> security;
  std::optional<runtime::Address> listen;         // nullopt: nobody can dial us
  std::map<std::string, runtime::Address> peers;  // by name; more with Mesh::set_peer()

  // The name that a stream's peer has proved, if it proved one; a node may claim no other. Empty:
  // streams prove nothing.
  std::function<std::optional<std::string>(const runtime::Stream&)> proven_name;

  // A link is given up when nothing came for `silence_max`. Both sides should have the same times.
  Duration heartbeat = std::chrono::milliseconds{250};  // after so long without a write
  Duration silence_max = std::chrono::milliseconds{1500};

  Duration connect_time_max = std::chrono::seconds{1};
  Duration greeting_time_max = std::chrono::seconds{2};  // from connected to up
  actors::Backoff redial{std::chrono::milliseconds{50}, std::chrono::seconds{2}, 0.5};

  // What may wait to be sent to one peer, in bytes of frames.
  std::size_t consensus_bytes_max = std::size_t{8} << 20;
  std::size_t call_bytes_max = std::size_t{4} << 20;
  std::size_t bulk_bytes_max = std::size_t{1} << 20;
  std::size_t calls_open_max = 16'384;                  // sent or waiting, not answered
  std::size_t reply_bytes_max = std::size_t{16} << 20;  // beyond it CALL_DROPPED takes their place

  // What one peer may send before what it sent is dealt with (it may exceed this by one frame).
  std::size_t call_window = std::size_t{4} << 20;
  std::size_t bulk_window = std::size_t{256} << 10;

  // Handed to a stream and not taken by the system; what else waits keeps its lane's order.
  std::size_t unsent_bytes_max = std::size_t{64} << 10;

  std::size_t strangers_max = 64;  // accepted connections that have not greeted yet

  // Of the protocol; others than these are for tests.
  std::uint32_t version_min = 1;
  std::uint32_t version_max = 1;
};

// Formats that came after the first of everything (cluster/directory/formats.hpp): a node whose
// program cannot read what the cluster uses is not linked, so that nobody sends it any of that.
struct MeshFormats {
  std::vector<std::string> read;  // by our program: we say so
  // An error, FORMAT_UNREADABLE, refuses a node whose program reads these. Any thread, also inside
  // a link's lock.
  std::function<Result<void>(const std::string& node, const std::vector<std::string>& formats)>
      may_link;
  // A node refuses us like that.
  std::function<void(const Error& why)> refused;
};

// One peer, as `troupe status` shows it.
struct MeshLinkStatus {
  std::string node;
  runtime::Address address;
  enum class State : std::uint8_t { up, connecting, down };
  State state = State::down;
  WallTime since{};               // of being up, or not
  std::string last_error;         // "REASON: message", empty: none since the link was up
  std::uint64_t incarnation = 0;  // of the peer, 0: never seen
  std::uint32_t version = 0;      // agreed on; 0: not up
  bool dialled = false;           // by us

  // Since the start, over all links to this peer. Lanes in the order of Lane.
  struct Traffic {
    std::array<std::uint64_t, 4> frames{};
    std::array<std::uint64_t, 4> bytes{};
    std::uint64_t batches = 0;  // writes to the stream, or times that bytes came from it
  };
  Traffic out;
  Traffic in;
  std::array<std::uint64_t, 4> queued_bytes{};  // waiting now
  std::uint64_t calls_open = 0;
  std::uint64_t consensus_dropped = 0;  // did not fit
  std::uint64_t calls_refused = 0;      // did not fit
  std::uint64_t late_before_sent = 0;   // requests whose deadline passed while they waited to leave
  std::uint64_t late_before_run = 0;    // ... and those of the peer that we did not run
  std::uint64_t unknown_frames = 0;     // of kinds that nobody here takes
  std::uint64_t times_up = 0;
};

}  // namespace troupe::cluster
