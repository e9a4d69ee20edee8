// The link to one peer, up or not: which connection it is, who dials, what waits, which calls are
// open.
//
// Which of several connections becomes the link. Dials are numbered, within the incarnation of who
// dials. Who gets a hello
// - closes it if it has answered a later one of that incarnation: the sender gave this one up;
// - refuses it with LINK_DUPLICATE if it has said hello itself, waits for the answer, and has the
//   smaller name: of two dials that cross, that of the smaller name goes on;
// - answers it else, and abandons its own dial.
// An answered connection becomes the link when the dialling side says ready, and replaces what was
// the link before. The dialling side does not if it has answered a hello meanwhile. So a node that
// lost its link, or was started again, replaces what its peer still takes for one, and a hello that
// comes late replaces nothing.
//
// Threads: a mutex guards everything. Subscribers are called without it.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "cluster/mesh/call_table.hpp"
#include "cluster/mesh/connection.hpp"
#include "cluster/mesh/mesh_core.hpp"
#include "cluster/mesh/outbox.hpp"
#include "runtime/wire/mesh.pb.h"

namespace troupe::cluster {

class MeshLink : public std::enable_shared_from_this<MeshLink> {
 public:
  using Connection = std::shared_ptr<MeshConnection>;

  MeshLink(MeshCore& core, std::string node, runtime::Address address);

  const std::string& node() const { return node_; }

  // --- for the mesh: mesh_link.cpp
  // ----------------------------------------------------------------
  Result<void> send(Lane lane, FrameKind kind, std::string bytes, Sent sent);
  void call(FrameKind kind, std::string request, MonotonicTime deadline, Answer answer);
  // What waits, as far as it may leave: the end of a turn.
  void write_out();
  void set_address(runtime::Address address);
  // Heartbeats, deadlines, dials. `stalled`: this process stood still, so silence says nothing.
  // Returns when it is needed next.
  MonotonicTime tick(MonotonicTime now, bool stalled);
  // For good: it is no peer any more.
  void stop(const Error& why, bool for_good);
  void check_formats();
  bool is_up() const;
  MeshLinkStatus status() const;

  // --- for connections, before they are up: mesh_greeting.cpp
  // ------------------------------------- A hello came that is in order.
  void greeted(const Connection& connection, const wire::MeshHello& hello);
  // Our own was answered, or refused.
  void answered(const Connection& connection, const wire::MeshHello& hello);
  void refused(const Connection& connection, const Error& why);
  void confirmed(const Connection& connection);

  // --- for connections that are up: mesh_traffic.cpp
  // ---------------------------------------------- Bytes came.
  void heard(const Connection& connection);
  Result<void> take(const Connection& connection, const Frame& frame);
  void drained(const Connection& connection);
  void give_back(const Connection& connection, Lane lane, std::size_t bytes);
  void reply(const Connection& connection, std::uint64_t call, Result<std::string> reply,
             std::size_t credit);
  void count_late();

  // The connection has ended, or must.
  void closed(const Connection& connection, const Error& why);

  std::mutex& mutex() { return mutex_; }

 private:
  // All of these with the mutex held.
  void dial(MonotonicTime now);
  void connected(std::uint64_t number, std::shared_ptr<runtime::Stream> stream,
                 std::shared_ptr<runtime::StreamHandler>& handler);
  void dial_failed(const Error& why);
  void abandon_dial();
  void redial_later();
  void come_up(const Connection& connection, Later& later);
  void go_down(const Error& why, Later& later);
  void note(std::string_view event, const Error& why);
  void flush(Later& later);       // now
  void flush_soon(Later& later);  // at the end of this thread's turn, if it is in one
  void return_credit(MeshConnection& connection, Lane lane, std::size_t bytes);
  Result<void> take_credit(const Frame& frame, Later& later);
  Result<void> take_reply(const Frame& frame, Later& later);
  Result<void> take_request(const Connection& connection, const Frame& frame, Later& later);
  Result<void> charge(MeshConnection& connection, const Frame& frame);

  MeshCore& core_;
  const std::string node_;

  mutable std::mutex mutex_;
  runtime::Address address_;
  bool stopped_ = true;  // until the first tick
  bool gone_ = false;    // for good; a tick that is under way must not begin it again

  Connection up_;
  Connection greeting_;  // answered, waits for ready
  Connection dialling_;  // said hello, waits for an answer
  bool connecting_ = false;
  std::uint64_t dials_ = 0;  // number of the newest
  unsigned failures_ = 0;    // dials in a row
  MonotonicTime dial_at_{};
  std::uint64_t answered_incarnation_ = 0;  // of the newest hello that was answered
  std::uint64_t answered_dial_ = 0;

  MonotonicTime heard_at_{};
  MonotonicTime wrote_at_{};
  MonotonicTime up_at_{};
  Outbox outbox_;
  CallTable calls_;

  MeshLinkStatus status_;
  std::string noted_;  // reason of the failure that was logged last
};

}  // namespace troupe::cluster
