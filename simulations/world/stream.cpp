#include "simulations/world/stream.hpp"

#include <algorithm>
#include <utility>

namespace troupe::simulations {

SimStream::SimStream(Fabric& fabric, std::shared_ptr<Life> life, runtime::Address local,
                     runtime::Address remote, std::string peer_identity)
    : fabric_(fabric),
      life_(std::move(life)),
      number_(++fabric.streams_made),
      random_(fabric.next_random(life_->node())),
      local_(std::move(local)),
      remote_(std::move(remote)),
      peer_identity_(std::move(peer_identity)),
      fault_random_(fabric.fault_random(life_->node(), number_)),
      name_(local_.to_string() + '>' + remote_.to_string()),
      peers_name_(remote_.to_string() + '>' + local_.to_string()) {}

void SimStream::join(const std::shared_ptr<SimStream>& one, const std::shared_ptr<SimStream>& other,
                     Duration opened) {
  one->accepting_ = true;
  one->last_arrival_ = opened;
  one->peer_node_ = other->life_->node();
  other->peer_node_ = one->life_->node();
  one->peer_ = other;
  other->peer_ = one;
  one->fabric_.streams[one->number_] = one;
  other->fabric_.streams[other->number_] = other;
}

void SimStream::open(Handler handler) {
  life_->record("net.open", name_);
  handler_ = std::move(handler);
  if (!handler_) abort();
}

void SimStream::later(Duration delay, std::function<void()> what) {
  fabric_.loop.after(delay, [self = shared_from_this(), what = std::move(what)] {
    if (self->life_->paused()) {
      self->life_->when_running([self, what] {
        if (!self->gone()) what();
      });
    } else if (!self->gone()) {
      what();
    }
  });
}

// The name of a segment, the same at both ends.
std::string_view SimStream::label(const std::string& way, std::uint64_t number) {
  label_ = way;
  label_ += '#';
  label_ += std::to_string(number);
  return label_;
}

// --- sending ------------------------------------------------------------------------------------

void SimStream::write(std::string bytes) {
  if (gone() || closing_ || aborted_) return;
  unsent_ += bytes;
  schedule_pump(Duration{0});
}

void SimStream::schedule_pump(Duration delay) {
  if (std::exchange(pump_scheduled_, true)) return;
  later(delay, [this] { pump(); });
}

void SimStream::pump() {
  pump_scheduled_ = false;
  if (aborted_) return;
  const bool had_bytes = !unsent_.empty();
  const auto peer = peer_.lock();
  if (!peer || peer->gone()) unsent_.clear();  // its system takes what nobody will read
  while (!unsent_.empty() && in_flight_ < Fabric::window_bytes) {
    // One segment in four is tiny.
    const std::uint64_t most = random_.between(0, 3) == 0 ? 32 : 16 * 1024;
    const auto size = std::min<std::size_t>(
        {unsent_.size(), Fabric::window_bytes - in_flight_, random_.between(1, most)});
    in_flight_ += size;
    life_->record("net.send", label(name_, ++segments_sent_), {unsent_.data(), size});
    send(Signal::data, unsent_.substr(0, size));
    unsent_.erase(0, size);
  }
  if (!unsent_.empty()) return;  // the peer's reading resumes it
  if (closing_) {
    send(Signal::end);
    finish({});
  } else if (had_bytes) {
    const auto handler = handler_;  // which may be let go meanwhile
    handler->on_drained();
  }
}

void SimStream::send(Signal signal, std::string bytes) {
  const auto peer = peer_.lock();
  if (!peer) return;
  const auto from = life_->node();
  const auto delay = fabric_.delay(random_) + fabric_.extra_delay(from, peer_node_, fault_random_);
  last_arrival_ = std::max(last_arrival_, fabric_.loop.now() + delay);
  fabric_.loop.at(last_arrival_, [from, peer, signal, bytes = std::move(bytes)]() mutable {
    if (peer->fabric_.passes(from, peer->life_->node()) && !peer->life_->paused()) {
      if (!peer->gone()) peer->arrive(signal, std::move(bytes));
      return;
    }
    peer->fabric_.pass(from, peer->life_->node(), [peer, signal, bytes = std::move(bytes)] {
      peer->life_->when_running([peer, signal, bytes] {
        if (!peer->gone()) peer->arrive(signal, bytes);
      });
    });
  });
}

// --- receiving ----------------------------------------------------------------------------------

void SimStream::arrive(Signal signal, std::string bytes) {
  if (signal == Signal::reset) {
    if (aborted_) return;  // its own end is on the way
    finish(unavailable("CONNECTION_LOST", "the connection with " + remote_.to_string() +
                                              " was lost: it was reset by the other side"));
    return;
  }
  if (signal == Signal::end) {
    peer_ended_ = true;
  } else {
    unread_.push_back(std::move(bytes));
  }
  deliver();
}

void SimStream::resume_reading() {
  if (!std::exchange(paused_, false) || gone()) return;
  later(Duration{0}, [this] { deliver(); });
}

void SimStream::deliver() {
  // What arrives at a stream that is closing is taken from the wire and dropped.
  while (!gone() && !aborted_ && (closing_ || !paused_) && !unread_.empty()) {
    const auto bytes = std::move(unread_.front());
    unread_.pop_front();
    if (const auto peer = peer_.lock(); peer && !peer->gone()) {
      peer->in_flight_ -= bytes.size();
      if (!peer->unsent_.empty()) peer->schedule_pump(fabric_.delay(random_));
    }
    ++segments_taken_;
    if (closing_) continue;
    life_->record("net.data", label(peers_name_, segments_taken_), bytes);
    const auto handler = handler_;
    handler->on_data(bytes);
  }
  if (peer_ended_ && !paused_ && unread_.empty()) close();
}

// --- ending -------------------------------------------------------------------------------------

void SimStream::close() {
  if (gone() || aborted_ || std::exchange(closing_, true)) return;
  schedule_pump(Duration{0});
  later(Duration{0}, [this] { deliver(); });
}

void SimStream::abort() {
  if (gone() || std::exchange(aborted_, true)) return;
  unsent_.clear();
  unread_.clear();
  send(Signal::reset);
  later(Duration{0}, [this] {
    finish(cancelled("this side aborted the connection with " + remote_.to_string()));
  });
}

bool SimStream::accepted_between(std::uint32_t one, std::uint32_t other) const {
  const auto here = life_->node();
  return accepting_ &&
         ((here == one && peer_node_ == other) || (here == other && peer_node_ == one));
}

void SimStream::lose() {
  if (gone() || std::exchange(aborted_, true)) return;
  unsent_.clear();
  unread_.clear();
  send(Signal::reset);
  later(Duration{0}, [this] {
    finish(unavailable("CONNECTION_LOST", "the connection with " + remote_.to_string() +
                                              " was lost: it was reset on the way"));
  });
}

void SimStream::expire_after(Duration time) {
  if (expiry_) fabric_.loop.cancel(*expiry_);
  expiry_.reset();
  if (gone() || aborted_ || time <= Duration{0}) return;
  expiry_ = fabric_.loop.after(time, [self = shared_from_this()] {
    self->life_->when_running([self] {
      if (!self->gone() && !self->aborted_) self->expire();
    });
  });
}

void SimStream::wake_after(Duration time) {
  if (wake_) fabric_.loop.cancel(*wake_);
  wake_.reset();
  if (gone() || aborted_) return;
  wake_ = fabric_.loop.after(time, [self = shared_from_this()] {
    self->life_->when_running([self] {
      if (!self->gone() && !self->aborted_ && self->handler_) self->handler_->on_wake();
    });
  });
}

void SimStream::expire() {
  send(unsent_.empty() ? Signal::end : Signal::reset);
  finish(deadline_exceeded("STREAM_EXPIRED",
                           "the connection with " + remote_.to_string() + " was too slow or idle"));
}

void SimStream::finish(const Result<void>& why) {
  life_->record("net.close", name_,
                why ? std::string_view{} : std::string_view{why.error().reason});
  const auto handler = std::move(handler_);
  forget();
  if (handler) handler->on_closed(why);
}

void SimStream::drop() {
  send(Signal::reset);
  forget();
  handler_.reset();
}

void SimStream::forget() {
  finished_ = true;
  if (expiry_) fabric_.loop.cancel(*expiry_);
  if (wake_) fabric_.loop.cancel(*wake_);
  expiry_.reset();
  wake_.reset();
  fabric_.streams.erase(number_);
}

}  // namespace troupe::simulations
