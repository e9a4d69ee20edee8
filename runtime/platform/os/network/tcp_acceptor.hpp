// A listening socket. It accepts on its own loop and hands each connection to the next loop, where
// hands are shaken if the streams are to be secured, and then the owner's Accept runs. Strangers
// cost little: a bound of handshakes at once, a time for each, and few lines of log.
//
// When the process or the machine has no descriptor or memory left, connections wait in the
// system's queue and the acceptor tries again in a moment, instead of turning the loop into a busy
// one.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <mutex>

#include "runtime/platform/network.hpp"
#include "runtime/platform/os/network/io_loop.hpp"
#include "runtime/platform/os/network/tls_credentials.hpp"
#include "runtime/platform/os/network/tls_session.hpp"
#include "runtime/telemetry/log.hpp"

namespace troupe::runtime {

class TcpAcceptor final : public LoopMember, public std::enable_shared_from_this<TcpAcceptor> {
 public:
  using NextLoop = std::function<std::shared_ptr<IoLoop>()>;

  TcpAcceptor(std::shared_ptr<IoLoop> loop, NextLoop next_loop, Network::Accept accept,
              std::shared_ptr<TlsCredentials> credentials, Logger& log);

  // Binds and listens. Before start().
  Result<void> open(const Address& wanted, const boost::asio::ip::tcp::endpoint& endpoint);
  void start();

  // Any thread, once. No Accept runs any more when it returns, unless one of them called it.
  void stop();

  Address local() const { return local_; }
  void shut_down() override;

 private:
  void accept_next();
  void accepted(const boost::system::error_code& error, const std::shared_ptr<IoLoop>& loop,
                boost::asio::ip::tcp::socket socket);
  void back_off(const boost::system::error_code& error);
  void begin(const std::shared_ptr<IoLoop>& loop, boost::asio::ip::tcp::socket socket);
  void shake_hands(const std::shared_ptr<IoLoop>& loop, boost::asio::ip::tcp::socket socket);
  void hand_over(const std::shared_ptr<IoLoop>& loop, boost::asio::ip::tcp::socket socket,
                 std::unique_ptr<TlsSession> session);
  void log_refusal(const Address& remote, const Error& why);

  const std::shared_ptr<IoLoop> loop_;
  const NextLoop next_loop_;
  const Network::Accept accept_;
  const std::shared_ptr<TlsCredentials> credentials_;  // null: plain
  Logger& log_;
  Address local_;

  // Guards what follows and is held while `accept_` runs; recursive, because the owner may stop
  // listening from within it.
  std::recursive_mutex mutex_;
  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::steady_timer pause_;
  bool stopped_ = false;
  bool backing_off_ = false;
  std::size_t handshakes_ = 0;
  MonotonicTime refusals_since_;
  std::uint64_t refusals_ = 0;  // since then
};

}  // namespace troupe::runtime
