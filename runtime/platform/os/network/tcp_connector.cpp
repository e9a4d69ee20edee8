#include "runtime/platform/os/network/tcp_connector.hpp"

#include <algorithm>
#include <boost/asio/connect.hpp>
#include <boost/asio/error.hpp>

#include "runtime/platform/os/network/callback.hpp"
#include "runtime/platform/os/network/network_error.hpp"
#include "runtime/platform/os/network/tcp_stream.hpp"
#include "runtime/platform/os/network/tls_handshake.hpp"

namespace troupe::runtime {
namespace {

namespace asio = boost::asio;

// A socket that connects to a free port of its own range on its own machine may reach itself.
bool reached_itself(const asio::ip::tcp::socket& socket) {
  boost::system::error_code no_local, no_remote;
  const auto local = socket.local_endpoint(no_local);
  const auto remote = socket.remote_endpoint(no_remote);
  return !no_local && !no_remote && local == remote;
}

}  // namespace

TcpConnector::TcpConnector(std::shared_ptr<IoLoop> loop, Address address,
                           Network::Connected connected,
                           std::shared_ptr<TlsCredentials> credentials, Logger& log)
    : loop_(std::move(loop)),
      address_(std::move(address)),
      connected_(std::move(connected)),
      credentials_(std::move(credentials)),
      log_(log),
      resolver_(loop_->context()),
      socket_(loop_->context()),
      timer_(loop_->context()) {}

void TcpConnector::start(Duration timeout) {
  loop_->join(shared_from_this());
  if (loop_->shutting_down()) return;
  due_ = std::chrono::steady_clock::now() + std::min<Duration>(timeout, std::chrono::hours{24});
  timer_.expires_at(due_);
  timer_.async_wait([self = shared_from_this()](const boost::system::error_code& stopped) {
    if (!stopped)
      self->fail(deadline_exceeded(
          "CONNECT_TIMEOUT",
          "cannot connect to " + self->address_.to_string() + ": no answer in time"));
  });
  if (const auto endpoint = to_endpoint(address_)) {
    try_addresses(Resolver::results_type::create(*endpoint, address_.host, ""));
  } else {
    resolve();
  }
}

void TcpConnector::resolve() {
  resolver_.async_resolve(
      address_.host, std::to_string(address_.port), asio::ip::resolver_base::numeric_service,
      [self = shared_from_this()](const boost::system::error_code& error,
                                  const Resolver::results_type& addresses) {
        if (!self->connected_) return;
        if (error)
          return self->fail(
              unavailable("NAME_NOT_RESOLVED", "cannot connect to " + self->address_.to_string() +
                                                   ": " + unresolved(error, self->address_)));
        self->try_addresses(addresses);
      });
}

void TcpConnector::try_addresses(const Resolver::results_type& addresses) {
  asio::async_connect(socket_, addresses,
                      [self = shared_from_this()](const boost::system::error_code& error,
                                                  const asio::ip::tcp::endpoint&) {
                        if (self->connected_) self->connected(error);
                      });
}

void TcpConnector::connected(const boost::system::error_code& error) {
  if (error) return fail(connect_error(error, address_));
  if (reached_itself(socket_))
    return fail(connect_error(asio::error::connection_refused, address_));
  auto socket = std::move(socket_);
  if (!credentials_) return hand_over(std::move(socket), nullptr);
  const auto self = shared_from_this();
  finish();  // the handshake is the loop's member from now on, and watches the time
  shake_hands(std::move(socket));
}

void TcpConnector::shake_hands(asio::ip::tcp::socket socket) {
  const auto handshake = std::make_shared<TlsHandshake>(
      loop_, std::move(socket),
      std::make_unique<TlsSession>(credentials_->context(), TlsSession::Side::connecting));
  handshake->start(due_ - std::chrono::steady_clock::now(),
                   [self = shared_from_this()](Result<TlsHandshake::Secured> secured) {
                     if (!secured) return self->fail(std::move(secured).error());
                     self->hand_over(std::move(secured->socket), std::move(secured->session));
                   });
}

void TcpConnector::hand_over(asio::ip::tcp::socket socket, std::unique_ptr<TlsSession> session) {
  const auto stream =
      std::make_shared<TcpStream>(loop_, std::move(socket), std::move(session), log_);
  const auto call = std::exchange(connected_, nullptr);
  finish();
  std::shared_ptr<StreamHandler> handler;
  if (const auto what = what_is_thrown([&] { handler = call(std::shared_ptr<Stream>{stream}); }))
    log_.error("network.connected_threw", "a new connection was dropped",
               {{"address", address_.to_string()}, {"what", *what}});
  stream->begin(std::move(handler));
}

void TcpConnector::fail(Error why) {
  if (!connected_) return;  // the timer had fired already when the connection came, or the reverse
  const auto call = std::exchange(connected_, nullptr);
  finish();
  if (const auto what = what_is_thrown([&] { (void)call(std::move(why)); }))
    log_.error("network.connected_threw", "the owner of a failed connection threw",
               {{"address", address_.to_string()}, {"what", *what}});
}

// Ends whatever is still under way.
void TcpConnector::finish() {
  const auto self = shared_from_this();  // the loop's reference may be the last one
  timer_.cancel();
  resolver_.cancel();
  boost::system::error_code ignored;
  socket_.close(ignored);
  loop_->leave(self);
}

void TcpConnector::shut_down() {
  fail(cancelled("the network of this process shuts down"));
}

}  // namespace troupe::runtime
