// What waits to be sent over one link: queues in the order of their lanes, bounds, and the peer's
// credit. Not thread-safe: a part of MeshLink.
//
// Order: the mesh's own frames, consensus, replies, calls (requests and messages of lane call),
// bulk. Calls and bulk need credit: a frame may leave while the balance is positive, which it may
// overdraw. Replies need none, because what the caller may send is bounded until they have left;
// if they did, two nodes that wait for each other's replies could stand still.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "cluster/mesh/call_table.hpp"
#include "cluster/mesh/frame.hpp"
#include "cluster/mesh/mesh_options.hpp"
#include "cluster/mesh/messages.hpp"

namespace troupe::cluster {

class Outbox {
 public:
  explicit Outbox(const MeshOptions& options) : options_{options} {}

  struct Item {
    FrameKind kind{};
    std::string payload;
    Sent sent = {};
    // Of a request: it has no head yet.
    std::uint64_t call = 0;
    MonotonicTime deadline = MonotonicTime::max();
    // Of a reply: what the caller may send again once it has left.
    std::size_t credit = 0;

    std::size_t cost() const { return frame_header_bytes + payload.size(); }
  };

  // A new link: its peer takes so much.
  void open(std::int64_t call_credit, std::int64_t bulk_credit);
  // The link has ended; what waited.
  std::vector<Item> close();

  void push_control(FrameKind kind, std::string payload);
  // Does not bound them: every call has to be answered with something.
  void push_reply(Item reply);
  // False: it does not fit.
  bool fits_reply(const Item& reply) const;
  bool push(Lane lane, Item item);

  // A sender that gives more than a peer can have taken breaks the protocol: false.
  bool grant(std::uint64_t call_bytes, std::uint64_t bulk_bytes);

  struct Batch {
    std::string bytes;  // empty: nothing may leave
    std::vector<Sent> sent;
    std::array<std::uint64_t, 4> frames{};  // by lane
    std::array<std::uint64_t, 4> sizes{};
    std::size_t credit = 0;  // of the replies
  };
  // The frames to go next: at least one if any may leave, and no further one beyond `bytes_max`.
  Batch gather(std::size_t bytes_max, MonotonicTime now, CallTable& calls);

  std::size_t queued(Lane lane) const;
  std::size_t queued() const;  // in all lanes

 private:
  struct Queue {
    std::deque<Item> items;
    std::size_t bytes = 0;
    void push(Item item);
    Item pop();
  };
  // What is to go next, and in which lane; null: nothing may.
  Queue* next(Lane& lane);
  void take(Queue& queue, Lane lane, MonotonicTime now, CallTable& calls, Batch& batch);

  const MeshOptions& options_;
  Queue control_;
  Queue consensus_;
  Queue replies_;
  Queue calls_;
  Queue bulk_;
  std::int64_t call_credit_ = 0;
  std::int64_t bulk_credit_ = 0;
  std::int64_t call_window_ = 0;
  std::int64_t bulk_window_ = 0;
};

}  // namespace troupe::cluster
