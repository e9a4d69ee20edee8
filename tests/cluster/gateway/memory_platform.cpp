#include "memory_platform.hpp"

#include <algorithm>

namespace troupe::cluster::tests {

class MemoryListener final : public runtime::Listener {
 public:
  MemoryListener(MemoryNetwork& network, runtime::Address local)
      : network_{network}, local_{std::move(local)} {}
  ~MemoryListener() override { network_.listeners_.erase(local_.port); }
  runtime::Address local() const override { return local_; }

 private:
  MemoryNetwork& network_;
  const runtime::Address local_;
};

void MemoryStream::write(std::string bytes) {
  if (closed_ || closing_) return;
  unsent_ += bytes;
  network_.post([self = network_.streams_.at(id_)] { self->drain(); });
}

void MemoryStream::resume_reading() {
  paused_ = false;
  if (!closed_) network_.post([self = network_.streams_.at(id_)] { self->deliver(); });
}

void MemoryStream::expire_after(Duration time) {
  if (time == Duration::zero()) {
    expiry_.reset();
  } else {
    expiry_ = network_.clock_.now() + time;
  }
}

void MemoryStream::wake_after(Duration time) {
  wake_ = network_.clock_.now() + time;
}

void MemoryStream::close() {
  if (closed_ || closing_) return;
  closing_ = true;
  network_.post([self = network_.streams_.at(id_)] { self->drain(); });
}

void MemoryStream::abort() {
  if (closed_) return;
  closing_ = true;
  network_.post([self = network_.streams_.at(id_)] { self->end({}); });
}

void MemoryStream::deliver() {
  while (!closed_ && !closing_ && !paused_ && !incoming_.empty()) {
    const auto bytes = std::move(incoming_.front());
    incoming_.pop_front();
    handler_->on_data(bytes);
  }
}

void MemoryStream::drain() {
  if (closed_) return;
  const auto count = std::min(window_, unsent_.size());
  received_ += unsent_.substr(0, count);
  unsent_.erase(0, count);
  if (window_ != SIZE_MAX) window_ -= count;
  if (!unsent_.empty()) return;
  if (closing_) return end({});
  if (count > 0) handler_->on_drained();
}

void MemoryStream::end(Result<void> why) {
  if (closed_) return;
  closed_ = true;
  expiry_.reset();
  wake_.reset();
  const auto self = network_.streams_.at(id_);
  network_.streams_.erase(id_);
  if (auto handler = std::move(handler_)) handler->on_closed(why);
}

Result<std::unique_ptr<runtime::Listener>> MemoryNetwork::listen(
    const runtime::Address& address, Accept accept, std::shared_ptr<runtime::Security>) {
  const std::uint16_t port = address.port != 0 ? address.port : ++last_port_;
  if (!listeners_.emplace(port, std::move(accept)).second) {
    return unavailable("ADDRESS_IN_USE", "port " + std::to_string(port) + " is taken");
  }
  return std::make_unique<MemoryListener>(*this, runtime::Address{address.host, port});
}

MemoryNetwork::~MemoryNetwork() {
  run();
  while (!streams_.empty()) {
    streams_.begin()->second->end(cancelled("the network is gone"));
    run();
  }
}

void MemoryNetwork::run() {
  while (!events_.empty()) {
    const auto event = std::move(events_.front());
    events_.pop_front();
    event();
  }
}

void MemoryNetwork::advance(Duration time) {
  run();
  const auto end = clock_.now() + time;
  const auto due = [](const MemoryStream& stream) {
    const auto never = MonotonicTime::max();
    return std::min(stream.expiry_.value_or(never), stream.wake_.value_or(never));
  };
  for (;;) {
    std::shared_ptr<MemoryStream> next;
    for (const auto& [id, stream] : streams_)
      if (due(*stream) <= end && (!next || due(*stream) < due(*next))) next = stream;
    if (!next) break;
    clock_.elapsed = std::max(clock_.now(), due(*next)).time_since_epoch();
    if (next->wake_ && *next->wake_ <= clock_.now()) {
      next->wake_.reset();
      next->handler_->on_wake();
    } else {
      next->end(deadline_exceeded("the stream's time is over"));
    }
    run();
  }
  clock_.elapsed = end.time_since_epoch();
}

MemoryClient::MemoryClient(MemoryPlatform& platform, const runtime::Address& server)
    : network_{platform.network()} {
  const auto id = ++network_.last_stream_;
  stream_ = std::make_shared<MemoryStream>(network_, id);
  network_.streams_.emplace(id, stream_);
  network_.post([this, id, port = server.port] {
    const auto listener = network_.listeners_.find(port);
    if (listener != network_.listeners_.end()) stream_->handler_ = listener->second(stream_);
    if (!stream_->handler_) {
      stream_->closed_ = true;
      network_.streams_.erase(id);
    }
  });
  network_.run();
}

void MemoryClient::send(std::string bytes) {
  if (stream_->closed_) return;
  stream_->incoming_.push_back(std::move(bytes));
  network_.post([stream = stream_] { stream->deliver(); });
  network_.run();
}

void MemoryClient::send_bytewise(std::string_view bytes) {
  for (const char c : bytes) send(std::string(1, c));
}

void MemoryClient::hang_up() {
  network_.post([stream = stream_] { stream->end({}); });
  network_.run();
}

std::string MemoryClient::take() {
  network_.run();
  return std::exchange(stream_->received_, {});
}

void MemoryClient::read_only_up_to(std::size_t bytes) {
  stream_->window_ = bytes;
  if (stream_->closed_) return;
  network_.post([stream = stream_] { stream->drain(); });
  network_.run();
}

}  // namespace troupe::cluster::tests
