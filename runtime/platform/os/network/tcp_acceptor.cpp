#include "runtime/platform/os/network/tcp_acceptor.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/ip/v6_only.hpp>

#include "runtime/platform/os/network/callback.hpp"
#include "runtime/platform/os/network/network_error.hpp"
#include "runtime/platform/os/network/tcp_stream.hpp"

namespace troupe::runtime {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr auto back_off_time = std::chrono::milliseconds{100};

// The connection is gone before we took it: nothing is wrong with the listener.
bool concerns_one_connection(const boost::system::error_code& error) {
  return error == asio::error::connection_aborted || error == asio::error::connection_reset ||
         error == asio::error::interrupted || error == boost::system::errc::protocol_error ||
         error == asio::error::timed_out || error == asio::error::host_unreachable ||
         error == asio::error::network_unreachable || error == asio::error::network_down;
}

}  // namespace

TcpAcceptor::TcpAcceptor(std::shared_ptr<IoLoop> loop, NextLoop next_loop, Network::Accept accept,
                         Logger& log)
    : loop_(std::move(loop)),
      next_loop_(std::move(next_loop)),
      accept_(std::move(accept)),
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
      hand_over(loop, std::move(socket));
    } else {
      auto handed = std::make_shared<tcp::socket>(std::move(socket));
      loop->post(
          [self = shared_from_this(), loop, handed] { self->hand_over(loop, std::move(*handed)); });
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

void TcpAcceptor::hand_over(const std::shared_ptr<IoLoop>& loop, tcp::socket socket) {
  const auto stream = std::make_shared<TcpStream>(loop, std::move(socket), log_);
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
