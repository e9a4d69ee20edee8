// One end of a connection.
//
//   write -> unsent_ -- pump --> (on the wire) -- arrive --> unread_ -- deliver --> on_data
//
// pump, arrive and deliver are events of the loop; no callback runs inside a call of the owner.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "simulations/world/network.hpp"

namespace troupe::simulations {

class SimStream final : public runtime::Stream, public std::enable_shared_from_this<SimStream> {
 public:
  using Handler = std::shared_ptr<runtime::StreamHandler>;

  SimStream(Fabric& fabric, std::shared_ptr<Life> life, runtime::Address local,
            runtime::Address remote, std::string peer_identity);

  // Makes two ends of one connection. Nothing that `one` sends arrives before `opened`.
  static void join(const std::shared_ptr<SimStream>& one, const std::shared_ptr<SimStream>& other,
                   Duration opened);

  // Gives the stream its handler and lets its bytes flow; null aborts it.
  void open(Handler handler);

  // Whether this is the accepting end of a connection between two machines.
  bool accepted_between(std::uint32_t one, std::uint32_t other) const;

  // The network resets the connection: both ends lose it. For the accepting end.
  void lose();

  // The owner is gone without a word: handler and unsent bytes are dropped, the peer is reset.
  void drop();

  const Life& life() const { return *life_; }

  void write(std::string bytes) override;
  std::size_t unsent() const override { return unsent_.size(); }
  void pause_reading() override { paused_ = true; }
  void resume_reading() override;
  void expire_after(Duration time) override;
  void wake_after(Duration time) override;
  void close() override;
  void abort() override;
  runtime::Address remote() const override { return remote_; }
  std::string peer_identity() const override { return peer_identity_; }

 private:
  // What travels to the peer, in order: bytes, or the end.
  enum class Signal { data, end, reset };
  void send(Signal signal, std::string bytes = {});
  void arrive(Signal signal, std::string bytes);

  std::string_view label(const std::string& way, std::uint64_t number);

  void schedule_pump(Duration delay);
  void pump();
  void deliver();
  void expire();

  // Tells the owner and forgets the stream.
  void finish(const Result<void>& why);
  void forget();

  // Runs `what` as an event of its own, unless the stream is gone by then; if the process is
  // paused, when it goes on.
  void later(Duration delay, std::function<void()> what);

  bool gone() const { return finished_ || life_->over(); }

  Fabric& fabric_;
  std::shared_ptr<Life> life_;
  std::uint64_t number_;
  RandomStream random_;
  runtime::Address local_;
  runtime::Address remote_;
  std::string peer_identity_;
  std::uint32_t peer_node_ = 0;
  RandomStream fault_random_;
  std::string name_;        // "local>remote"
  std::string peers_name_;  // "remote>local"
  std::string label_;       // of a segment, kept for its memory
  std::uint64_t segments_sent_ = 0;
  std::uint64_t segments_taken_ = 0;  // of the peer's
  bool accepting_ = false;
  Handler handler_;
  std::weak_ptr<SimStream> peer_;

  std::string unsent_;
  std::size_t in_flight_ = 0;  // sent by us and not yet read by the peer's owner
  Duration last_arrival_{0};   // of what we sent: nothing overtakes
  bool pump_scheduled_ = false;
  bool closing_ = false;

  std::deque<std::string> unread_;
  bool paused_ = false;
  bool peer_ended_ = false;

  bool aborted_ = false;  // by the owner or the network; on_closed() is on its way
  bool finished_ = false;
  std::optional<EventLoop::Key> expiry_;
  std::optional<EventLoop::Key> wake_;
};

}  // namespace troupe::simulations
