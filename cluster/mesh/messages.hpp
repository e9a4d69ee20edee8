// What comes over a link, as subscribers get it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "cluster/mesh/frame.hpp"
#include "runtime/result.hpp"
#include "runtime/time.hpp"

namespace troupe::cluster {

class MeshConnection;

// The sender may send as much more once this is gone: keep it as long as what came with it takes
// memory. Any thread. Empty for lanes without credits, and for a link that has ended.
class Credit {
 public:
  Credit() = default;
  Credit(std::weak_ptr<MeshConnection> connection, Lane lane, std::size_t bytes)
      : connection_{std::move(connection)}, lane_{lane}, bytes_{bytes} {}
  Credit(Credit&& other) noexcept
      : connection_{std::move(other.connection_)},
        lane_{other.lane_},
        bytes_{std::exchange(other.bytes_, 0)} {}
  Credit& operator=(Credit&& other) noexcept;
  ~Credit() { give_back(); }

  // Now instead of at the end.
  void give_back();
  // The bytes are accounted for elsewhere.
  std::size_t release() { return std::exchange(bytes_, 0); }

 private:
  std::weak_ptr<MeshConnection> connection_;
  Lane lane_ = Lane::control;
  std::size_t bytes_ = 0;
};

struct MeshMessage {
  std::string bytes;
  Credit credit;
};

// A call of another node. Copies name the same one. Any thread. The call's credit comes back to the
// caller's node with the answer.
class IncomingCall {
 public:
  const std::string& from() const;
  std::string& bytes() const;      // the request; may be moved out
  MonotonicTime deadline() const;  // of this node's clock; MonotonicTime::max(): none

  // To be asked when the work is about to run: false if its deadline has passed. Then it is
  // counted and answered, and must not run.
  bool begin() const;

  // At most once; a second answer is a bug and aborts. If every copy is gone without one, the
  // caller gets UNAVAILABLE / CALL_DROPPED. Dropped when the link has ended.
  void answer(Result<std::string> reply) const;

  struct Ticket;
  explicit IncomingCall(std::shared_ptr<Ticket> ticket) : ticket_{std::move(ticket)} {}

 private:
  std::shared_ptr<Ticket> ticket_;
};

using MessageHandler = std::function<void(const std::string& from, MeshMessage message)>;
using CallHandler = std::function<void(IncomingCall call)>;
using LinkHandler = std::function<void(const std::string& node, bool up)>;
using Answer = std::function<void(Result<std::string> reply)>;
// Of a bulk message: it has left for the stream, or will not.
using Sent = std::function<void(const Result<void>& sent)>;

}  // namespace troupe::cluster
