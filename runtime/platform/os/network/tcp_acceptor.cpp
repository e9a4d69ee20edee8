#include "runtime/platform/os/network/tcp_acceptor.hpp"

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/v6_only.hpp>

#include "runtime/platform/os/files/descriptors.hpp"
#include "runtime/platform/os/network/callback.hpp"
#include "runtime/platform/os/network/network_error.hpp"
#include "runtime/platform/os/network/tcp_stream.hpp"
#include "runtime/platform/os/network/tls_handshake.hpp"

namespace troupe::runtime {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr auto back_off_time = std::chrono::milliseconds{100};
constexpr std::size_t handshakes_max = 512;
// Refused peers that are logged one by one, of all in this time.
constexpr std::uint64_t refusals_logged_max = 20;
constexpr auto refusals_counted_for = std::chrono::seconds{10};

// The connection is gone before we took it: nothing is wrong with the listener.
bool concerns_one_connection(const boost::system::error_code& error) {
  return error == asio::error::connection_aborted || error == asio::error::connection_reset ||
         error == asio::error::interrupted || error == boost::system::errc::protocol_error ||
         error == asio::error::timed_out || error == asio::error::host_unreachable ||
         error == asio::error::network_unreachable || error == asio::error::network_down;
}

}  // namespace

TcpAcceptor::TcpAcceptor(std::shared_ptr<IoLoop> loop, NextLoop next_loop, Network::Accept accept,
                         std::shared_ptr<TlsCredentials> credentials, Logger& log)
    : loop_(std::move(loop)),
      next_loop_(std::move(next_loop)),
      accept_(std::move(accept)),
      credentials_(std::move(credentials)),
      log_(log),
      acceptor_(loop_->context()),
      pause_(loop_->context()) {}

Result<void> TcpAcceptor::open(const Address& wanted, const tcp::endpoint& endpoint) {
  boost::system::error_code error;
  acceptor_.open(endpoint.protocol(), error);
  if (error) return listen_error(error, wanted);
  // Without this, a restarted process would wait for the old one's connections to be forgotten.
  acceptor_.set_option(tcp::acceptor::reuse_address{true}, error);
  if (endpoint.protocol() == tcp::v6())
    acceptor_.set_option(asio::ip::v6_only{false}, error);  // [::] serves IPv4, too
  acceptor_.bind(endpoint, error);
  if (error) return listen_error(error, wanted);
  acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (error) return listen_error(error, wanted);
  local_ = to_address(acceptor_.local_endpoint());
  return {};
}

void TcpAcceptor::start() {
  loop_->post([self = shared_from_this()] {
    self->loop_->join(self);
    self->accept_next();
  });
}

void TcpAcceptor::stop() {
  {
    const std::lock_guard lock{mutex_};
    if (stopped_) return;
    stopped_ = true;
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    pause_.cancel();
  }
  loop_->post([self = shared_from_this()] { self->loop_->leave(self); });
}

void TcpAcceptor::shut_down() {
  stop();
  loop_->leave(shared_from_this());
}

void TcpAcceptor::accept_next() {
  const std::lock_guard lock{mutex_};
  if (stopped_) return;
  const auto loop = next_loop_();
  acceptor_.async_accept(loop->context(),
                         [self = shared_from_this(), loop](const boost::system::error_code& error,
                                                           tcp::socket socket) {
                           self->accepted(error, loop, std::move(socket));
                         });
}

void TcpAcceptor::accepted(const boost::system::error_code& error,
                           const std::shared_ptr<IoLoop>& loop, tcp::socket socket) {
  if (error == asio::error::operation_aborted) return;
  if (error && !concerns_one_connection(error)) return back_off(error);
  backing_off_ = false;
  if (!error) {
    if (loop == loop_) {
      begin(loop, std::move(socket));
    } else {
      auto handed = std::make_shared<tcp::socket>(std::move(socket));
      loop->post(
          [self = shared_from_this(), loop, handed] { self->begin(loop, std::move(*handed)); });
    }
  }
  accept_next();
}

void TcpAcceptor::back_off(const boost::system::error_code& error) {
  if (!std::exchange(backing_off_, true))
    log_.warn("network.accept_failed", "connections wait because one could not be accepted",
              {{"address", local_.to_string()}, {"what", error.message()}});
  const std::lock_guard lock{mutex_};
  if (stopped_) return;
  pause_.expires_after(back_off_time);
  pause_.async_wait([self = shared_from_this()](const boost::system::error_code& stopped) {
    if (!stopped) self->accept_next();
  });
}

void TcpAcceptor::begin(const std::shared_ptr<IoLoop>& loop, tcp::socket socket) {
  if (!credentials_) return hand_over(loop, std::move(socket), nullptr);
  bool full = false;
  {
    const std::lock_guard lock{mutex_};
    full = handshakes_ >= std::min<std::uint64_t>(handshakes_max, descriptors_max() / 16);
    if (!full) ++handshakes_;
  }
  if (!full) return shake_hands(loop, std::move(socket));
  boost::system::error_code unknown;
  const auto remote = socket.remote_endpoint(unknown);
  log_refusal(unknown ? Address{} : to_address(remote),
              resource_exhausted("too many handshakes are under way"));
}

void TcpAcceptor::shake_hands(const std::shared_ptr<IoLoop>& loop, tcp::socket socket) {
  const auto handshake = std::make_shared<TlsHandshake>(
      loop, std::move(socket),
      std::make_unique<TlsSession>(credentials_->context(), TlsSession::Side::accepting));
  handshake->start(Network::handshake_time_max,
                   [self = shared_from_this(), loop,
                    remote = handshake->remote()](Result<TlsHandshake::Secured> secured) {
                     {
                       const std::lock_guard lock{self->mutex_};
                       --self->handshakes_;
                     }
                     if (!secured) return self->log_refusal(remote, secured.error());
                     self->hand_over(loop, std::move(secured->socket), std::move(secured->session));
                   });
}

void TcpAcceptor::log_refusal(const Address& remote, const Error& why) {
  if (why.code == Code::cancelled) return;  // this process ends
  std::uint64_t unlogged = 0;
  {
    const std::lock_guard lock{mutex_};
    const auto now = std::chrono::steady_clock::now();
    if (now - refusals_since_ > refusals_counted_for) {
      unlogged = refusals_ > refusals_logged_max ? refusals_ - refusals_logged_max : 0;
      refusals_since_ = now;
      refusals_ = 0;
    }
    if (++refusals_ > refusals_logged_max) return;
  }
  if (unlogged > 0)
    log_.warn("network.peers_refused", "more peers were refused than are logged",
              {{"address", local_.to_string()}, {"unlogged", unlogged}});
  log_.warn("network.peer_refused", "a connection was refused before it carried anything",
            {{"address", local_.to_string()},
             {"remote", remote.to_string()},
             {"reason", why.reason},
             {"what", why.message}});
}

void TcpAcceptor::hand_over(const std::shared_ptr<IoLoop>& loop, tcp::socket socket,
                            std::unique_ptr<TlsSession> session) {
  const auto stream =
      std::make_shared<TcpStream>(loop, std::move(socket), std::move(session), log_);
  std::shared_ptr<StreamHandler> handler;
  {
    const std::lock_guard lock{mutex_};
    if (!stopped_) {
      if (const auto what = what_is_thrown([&] { handler = accept_(stream); }))
        log_.error("network.accept_threw", "a new connection was refused",
                   {{"address", local_.to_string()}, {"what", *what}});
    }
  }
  stream->begin(std::move(handler));
}

}  // namespace troupe::runtime
