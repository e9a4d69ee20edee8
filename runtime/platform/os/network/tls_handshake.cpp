#include "runtime/platform/os/network/tls_handshake.hpp"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <utility>

#include "runtime/platform/os/network/network_error.hpp"

namespace troupe::runtime {
namespace {

namespace asio = boost::asio;

// For the peer to read why it was refused.
constexpr auto drain_time_max = std::chrono::seconds{2};

}  // namespace

TlsHandshake::TlsHandshake(std::shared_ptr<IoLoop> loop, asio::ip::tcp::socket socket,
                           std::unique_ptr<TlsSession> session)
    : loop_(std::move(loop)),
      socket_(std::move(socket)),
      session_(std::move(session)),
      timer_(loop_->context()) {
  ErrorCode ignored;
  const auto endpoint = socket_.remote_endpoint(ignored);
  if (!ignored) remote_ = to_address(endpoint);
  socket_.set_option(asio::ip::tcp::no_delay{true}, ignored);
  socket_.non_blocking(true, ignored);
}

void TlsHandshake::start(Duration limit, Done done) {
  done_ = std::move(done);
  loop_->join(shared_from_this());
  if (loop_->shutting_down()) return;
  timer_.expires_after(std::clamp<Duration>(limit, Duration::zero(), std::chrono::hours{24}));
  timer_.async_wait([self = shared_from_this()](const ErrorCode& stopped) {
    if (stopped || self->over_ || !self->socket_.is_open()) return;
    self->fail(deadline_exceeded(
        "HANDSHAKE_TIMEOUT",
        "the peer at " + self->remote_.to_string() + " did not finish the TLS handshake in time"));
  });
  advance({});
}

// Goes on with the handshake and sends what it says.
void TlsHandshake::advance(std::string_view bytes) {
  progress_ = session_->shake_hands(bytes);
  output_ += session_->take_output();
  if (progress_ == TlsSession::Progress::failed) return refuse(session_->failure(remote_));
  go_on();
}

void TlsHandshake::go_on() {
  if (!flush()) return;
  if (progress_ == TlsSession::Progress::done) return succeed();
  await(true);
}

void TlsHandshake::await(bool readable) {
  socket_.async_wait(readable ? asio::socket_base::wait_read : asio::socket_base::wait_write,
                     [self = shared_from_this()](const ErrorCode& error) {
                       if (!error && self->socket_.is_open()) self->ready();
                     });
}

void TlsHandshake::ready() {
  if (over_) return drain();
  if (sent_ < output_.size()) return go_on();
  read();
}

// False: not everything could be sent; it goes on later, or has failed.
bool TlsHandshake::flush() {
  while (sent_ < output_.size()) {
    ErrorCode error;
    sent_ += socket_.write_some(asio::buffer(output_) + sent_, error);
    if (error == asio::error::would_block) {
      await(false);
      return false;
    }
    if (error) {
      fail(stream_error(error, remote_));
      return false;
    }
  }
  output_.clear();
  sent_ = 0;
  return true;
}

void TlsHandshake::read() {
  auto& buffer = loop_->read_buffer();
  ErrorCode error;
  const auto count = socket_.read_some(asio::buffer(buffer), error);
  if (error == asio::error::would_block) return await(true);
  if (error == asio::error::eof)
    return fail(unavailable("HANDSHAKE_FAILED", "the peer at " + remote_.to_string() +
                                                    " ended the connection before the TLS "
                                                    "handshake was over"));
  if (error) return fail(stream_error(error, remote_));
  advance({buffer.data(), count});
}

void TlsHandshake::succeed() {
  const auto self = shared_from_this();
  timer_.cancel();
  loop_->leave(self);
  over_ = true;
  const auto done = std::exchange(done_, nullptr);
  done(Secured{std::move(socket_), std::move(session_)});
}

// The peer gets the alert, then the end.
void TlsHandshake::refuse(Error why) {
  ErrorCode error;
  if (sent_ < output_.size()) socket_.write_some(asio::buffer(output_) + sent_, error);
  if (!error) socket_.shutdown(asio::ip::tcp::socket::shutdown_send, error);
  if (error) return fail(std::move(why));
  over_ = true;
  timer_.expires_after(drain_time_max);
  timer_.async_wait([self = shared_from_this()](const ErrorCode& stopped) {
    if (!stopped) self->close();
  });
  const auto done = std::exchange(done_, nullptr);
  done(std::move(why));
  if (socket_.is_open()) drain();
}

void TlsHandshake::drain() {
  ErrorCode error;
  socket_.read_some(asio::buffer(loop_->read_buffer()), error);
  if (error && error != asio::error::would_block) return close();
  await(true);
}

void TlsHandshake::fail(Error why) {
  close();
  over_ = true;
  if (const auto done = std::exchange(done_, nullptr)) done(std::move(why));
}

void TlsHandshake::close() {
  const auto self = shared_from_this();  // the loop's reference may be the last one
  timer_.cancel();
  ErrorCode ignored;
  socket_.close(ignored);
  loop_->leave(self);
}

void TlsHandshake::shut_down() {
  if (over_) return close();
  fail(cancelled("the network of this process shuts down"));
}

}  // namespace troupe::runtime
