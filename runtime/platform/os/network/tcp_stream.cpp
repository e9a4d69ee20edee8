#include "runtime/platform/os/network/tcp_stream.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <utility>

#include "runtime/platform/os/network/callback.hpp"
#include "runtime/platform/os/network/network_error.hpp"

namespace troupe::runtime {
namespace {

namespace asio = boost::asio;

// Small writes are joined up to this size, so that many of them cost one buffer.
constexpr std::size_t joined_bytes_max = 16 * 1024;
// Reads of one stream in a row, before the loop's other sockets have their turn.
constexpr int reads_in_a_row_max = 4;
// How long a socket drains after on_closed().
constexpr auto linger_max = std::chrono::seconds{2};
constexpr auto expiry_max = std::chrono::hours{24 * 365 * 10};

// What one system call sends: a buffer sequence without an allocation.
class Buffers {
 public:
  using value_type = asio::const_buffer;
  using const_iterator = const asio::const_buffer*;
  Buffers(const std::deque<std::string>& pieces, std::size_t offset) {
    for (const auto& piece : pieces) {
      if (count_ == buffers_.size()) break;
      buffers_[count_++] = asio::buffer(piece) + offset;
      offset = 0;
    }
  }
  const_iterator begin() const { return buffers_.data(); }
  const_iterator end() const { return buffers_.data() + count_; }

 private:
  std::array<asio::const_buffer, 32> buffers_;
  std::size_t count_ = 0;
};

}  // namespace

TcpStream::TcpStream(std::shared_ptr<IoLoop> loop, asio::ip::tcp::socket socket,
                     std::unique_ptr<TlsSession> session, Logger& log)
    : loop_(std::move(loop)),
      log_(log),
      session_(std::move(session)),
      socket_(std::move(socket)),
      timer_(loop_->context()) {
  if (session_) peer_identity_ = session_->peer_identity();
  ErrorCode ignored;  // a peer that has gone already is found out by the first read
  const auto endpoint = socket_.remote_endpoint(ignored);
  if (!ignored) remote_ = to_address(endpoint);
  socket_.set_option(asio::ip::tcp::no_delay{true}, ignored);
  socket_.non_blocking(true, ignored);
}

// Callers hold the mutex and have seen that the phase is not closed: so nothing is posted to a loop
// that has ended.
template <class Member>
void TcpStream::post(Member member) {
  loop_->post([self = shared_from_this(), member] { ((*self).*member)(); });
}

void TcpStream::begin(std::shared_ptr<StreamHandler> handler) {
  if (!handler) {
    {
      const std::lock_guard lock{mutex_};
      phase_ = Phase::closed;
    }
    return close_socket(true);
  }
  handler_ = std::move(handler);
  loop_->join(shared_from_this());
  if (loop_->shutting_down()) return;
  if (session_ && session_->holds_input()) return read();
  await_readable();
}

void TcpStream::write(std::string bytes) {
  if (bytes.empty()) return;
  const std::lock_guard lock{mutex_};
  if (phase_ != Phase::open) return;
  unsent_ += bytes.size();
  if (!outbox_.empty() && outbox_.back().size() + bytes.size() <= joined_bytes_max) {
    outbox_.back() += bytes;
  } else {
    outbox_.push_back(std::move(bytes));
  }
  if (!std::exchange(sending_posted_, true)) post(&TcpStream::send);
}

std::size_t TcpStream::unsent() const {
  const std::lock_guard lock{mutex_};
  return unsent_;
}

bool TcpStream::take_outbox() {
  const std::lock_guard lock{mutex_};
  if (outbox_.empty()) {
    sending_posted_ = false;
    return false;
  }
  // Is empty, and keeps its memory for the next burst.
  (session_ ? sealing_ : sending_).swap(outbox_);
  return true;
}

// False: there is nothing, or the stream has failed.
bool TcpStream::next_to_send() {
  if (!session_) return take_outbox();
  return (!sealing_.empty() || take_outbox()) && seal();
}

void TcpStream::count_sent(std::size_t count) {
  if (session_) count = sending_.empty() ? std::exchange(sealed_bytes_, 0) : 0;
  if (count == 0) return;
  const std::lock_guard lock{mutex_};
  unsent_ -= count;
}

void TcpStream::send() {
  if (!socket_.is_open() || lingering_) return;
  while (!sending_.empty() || next_to_send()) {
    ErrorCode error;
    const auto count = socket_.write_some(Buffers{sending_, sending_offset_}, error);
    if (error == asio::error::would_block) {
      socket_.async_wait(asio::socket_base::wait_write,
                         [self = shared_from_this()](const ErrorCode&) { self->send(); });
      return;
    }
    if (error) return output_failed(error);
    sending_offset_ += count;
    while (!sending_.empty() && sending_offset_ >= sending_.front().size()) {
      sending_offset_ -= sending_.front().size();
      sending_.pop_front();
    }
    count_sent(count);
  }
  if (socket_.is_open()) sent_all();
}

void TcpStream::sent_all() {
  bool closing = false;
  {
    const std::lock_guard lock{mutex_};
    if (phase_ == Phase::closed || sending_posted_) return;  // someone wrote meanwhile
    closing = phase_ == Phase::closing;
    if (aborted_) return;
  }
  if (closing) return begin_closing();
  call_handler("on_drained", [](StreamHandler& handler) { handler.on_drained(); });
}

void TcpStream::await_readable() {
  socket_.async_wait(asio::socket_base::wait_read,
                     [self = shared_from_this()](const ErrorCode& error) {
                       if (!error) self->read();
                     });
}

bool TcpStream::may_read() {
  const std::lock_guard lock{mutex_};
  if (paused_ && phase_ == Phase::open) reading_ = false;
  return reading_;
}

void TcpStream::read() {
  if (session_ && session_->holds_input() && may_read() && !deliver_sealed({})) return;
  auto& buffer = loop_->read_buffer();
  for (int reads = 0; reads < reads_in_a_row_max; ++reads) {
    if (!socket_.is_open() || !may_read()) return;
    ErrorCode error;
    const auto count = socket_.read_some(asio::buffer(buffer), error);
    if (error == asio::error::would_block) break;
    if (error == asio::error::eof) return socket_ended();
    if (error) {
      if (lingering_) return close_socket(false);
      return fail(stream_error(error, remote_), true);
    }
    const std::string_view bytes{buffer.data(), count};
    if (session_ && !lingering_ ? !deliver_sealed(bytes) : !deliver(bytes)) return;
    if (count < buffer.size()) break;
  }
  if (socket_.is_open() && may_read()) await_readable();
}

// False once the handler has failed.
bool TcpStream::deliver(std::string_view bytes) {
  {
    const std::lock_guard lock{mutex_};
    if (phase_ != Phase::open || aborted_) return true;
  }
  return call_handler("on_data", [&](StreamHandler& handler) { handler.on_data(bytes); });
}

void TcpStream::input_ended() {
  if (lingering_) return close_socket(false);
  input_ended_ = true;
  const std::lock_guard lock{mutex_};
  reading_ = false;
  if (phase_ != Phase::open) return;
  phase_ = Phase::closing;
  post(&TcpStream::begin_closing);
}

void TcpStream::close() {
  const std::lock_guard lock{mutex_};
  if (phase_ != Phase::open) return;
  phase_ = Phase::closing;
  post(&TcpStream::begin_closing);
}

void TcpStream::begin_closing() {
  if (!socket_.is_open() || lingering_) return;
  bool read_on = false;
  bool sending = false;
  {
    const std::lock_guard lock{mutex_};
    if (phase_ != Phase::closing || aborted_) return;
    // A peer that waits for us to read before it reads would never take what is unsent.
    read_on = !reading_ && !input_ended_;
    if (read_on) reading_ = true;
    sending = sending_posted_;
  }
  if (read_on) await_readable();
  if (!sending) end_output();
}

void TcpStream::end_output() {
  if (say_goodbye()) {
    {
      const std::lock_guard lock{mutex_};
      sending_posted_ = true;
    }
    return send();  // which comes back here
  }
  ErrorCode error;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, error);
  if (error) return output_failed(error);
  lingering_ = true;
  if (input_ended_) {
    close_socket(false);
  } else {
    timer_.expires_after(linger_max);
    timer_.async_wait([self = shared_from_this()](const ErrorCode& stopped) {
      if (!stopped && self->socket_.is_open()) self->close_socket(false);
    });
  }
  report_closed({});
}

void TcpStream::abort() {
  const std::lock_guard lock{mutex_};
  if (phase_ == Phase::closed || std::exchange(aborted_, true)) return;
  loop_->post([self = shared_from_this()] {
    self->fail(cancelled("this side aborted the connection with " + self->remote_.to_string()),
               true);
  });
}

void TcpStream::pause_reading() {
  const std::lock_guard lock{mutex_};
  paused_ = true;
}

void TcpStream::resume_reading() {
  const std::lock_guard lock{mutex_};
  paused_ = false;
  if (reading_ || phase_ != Phase::open) return;
  reading_ = true;
  post(&TcpStream::read);
}

void TcpStream::expire_after(Duration time) {
  const std::lock_guard lock{mutex_};
  if (phase_ == Phase::closed) return;
  deadline_ = time <= Duration::zero()
                  ? MonotonicTime::max()
                  : std::chrono::steady_clock::now() + std::min<Duration>(time, expiry_max);
  want_timer(deadline_);
}

void TcpStream::wake_after(Duration time) {
  const std::lock_guard lock{mutex_};
  if (phase_ == Phase::closed) return;
  wake_at_ = std::chrono::steady_clock::now() + std::min<Duration>(time, expiry_max);
  want_timer(wake_at_);
}

// A timer that fires earlier looks at the times again: most calls cost nothing but the clock.
void TcpStream::want_timer(MonotonicTime when) {
  if (when >= timer_due_ || std::exchange(timer_posted_, true)) return;
  post(&TcpStream::arm_timer);
}

void TcpStream::arm_timer() {
  if (!socket_.is_open() || lingering_) return;
  {
    const std::lock_guard lock{mutex_};
    timer_posted_ = false;
    timer_due_ = std::min(deadline_, wake_at_);
    if (timer_due_ == MonotonicTime::max()) return;
    timer_.expires_at(timer_due_);
  }
  timer_.async_wait([self = shared_from_this()](const ErrorCode& stopped) {
    if (!stopped) self->timer_fired();
  });
}

void TcpStream::timer_fired() {
  bool expired = false;
  bool wake = false;
  bool bytes_are_lost = false;
  {
    const std::lock_guard lock{mutex_};
    if (phase_ == Phase::closed) return;
    timer_due_ = MonotonicTime::max();
    const MonotonicTime now = std::chrono::steady_clock::now();
    expired = deadline_ <= now;
    bytes_are_lost = unsent_ > 0;
    if (!expired) {
      wake = wake_at_ <= now && phase_ == Phase::open && !aborted_;
      if (wake_at_ <= now) wake_at_ = MonotonicTime::max();
      if (const auto next = std::min(deadline_, wake_at_); next != MonotonicTime::max())
        want_timer(next);
    }
  }
  if (wake) call_handler("on_wake", [](StreamHandler& handler) { handler.on_wake(); });
  if (!expired) return;
  fail(deadline_exceeded("STREAM_EXPIRED",
                         "the connection with " + remote_.to_string() + " was too slow or idle"),
       bytes_are_lost);
}

void TcpStream::shut_down() {
  if (lingering_) return close_socket(false);
  fail(cancelled("the network of this process shuts down"), true);
}

template <class Call>
bool TcpStream::call_handler(const char* callback, Call call) {
  const auto what = what_is_thrown([&] { call(*handler_); });
  if (what) fail(handler_failed(callback, *what), true);
  return !what;
}

Error TcpStream::handler_failed(const char* callback, const std::string& what) {
  log_.error("network.handler_failed", "the handler of a connection threw and lost it",
             {{"remote", remote_.to_string()}, {"callback", callback}, {"what", what}});
  return internal(std::string{callback} + " threw: " + what);
}

// A peer that ended its side in order need not wait for our goodbye: it may be gone by then.
void TcpStream::output_failed(const ErrorCode& error) {
  if (!said_goodbye_ || !input_ended_) return fail(stream_error(error, remote_), true);
  close_socket(false);
  report_closed({});
}

void TcpStream::fail(const Error& why, bool reset) {
  if (!socket_.is_open() || lingering_) return;
  ErrorCode ignored;
  if (!reset && sending_.empty() && say_goodbye())
    socket_.write_some(asio::buffer(sending_.front()), ignored);
  close_socket(reset);
  report_closed(why);
}

void TcpStream::report_closed(const Result<void>& why) {
  {
    const std::lock_guard lock{mutex_};
    phase_ = Phase::closed;
    outbox_.clear();
    unsent_ = 0;
  }
  sending_.clear();
  sealing_.clear();
  const auto handler = std::exchange(handler_, nullptr);
  if (const auto what = what_is_thrown([&] { handler->on_closed(why); }))
    (void)handler_failed("on_closed", *what);
}

void TcpStream::close_socket(bool reset) {
  const auto self = shared_from_this();  // the loop's reference may be the last one
  timer_.cancel();
  ErrorCode ignored;
  if (reset) socket_.set_option(asio::socket_base::linger{true, 0}, ignored);
  socket_.close(ignored);
  loop_->leave(self);
}

}  // namespace troupe::runtime
