// One attempt to connect: the name is resolved, its addresses are tried in turn, and hands are
// shaken if the stream is to be secured, all within one time-out. Everything runs on the loop's
// thread.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>

#include "runtime/platform/network.hpp"
#include "runtime/platform/os/network/io_loop.hpp"
#include "runtime/platform/os/network/tls_credentials.hpp"
#include "runtime/platform/os/network/tls_session.hpp"
#include "runtime/telemetry/log.hpp"

namespace troupe::runtime {

class TcpConnector final : public LoopMember, public std::enable_shared_from_this<TcpConnector> {
 public:
  TcpConnector(std::shared_ptr<IoLoop> loop, Address address, Network::Connected connected,
               std::shared_ptr<TlsCredentials> credentials, Logger& log);

  void start(Duration timeout);
  void shut_down() override;

 private:
  using Resolver = boost::asio::ip::tcp::resolver;

  void resolve();
  void try_addresses(const Resolver::results_type& addresses);
  void connected(const boost::system::error_code& error);
  void shake_hands(boost::asio::ip::tcp::socket socket);
  void hand_over(boost::asio::ip::tcp::socket socket, std::unique_ptr<TlsSession> session);
  void fail(Error why);
  void finish();

  const std::shared_ptr<IoLoop> loop_;
  const Address address_;
  Network::Connected connected_;                       // empty once it was called
  const std::shared_ptr<TlsCredentials> credentials_;  // null: plain
  Logger& log_;
  MonotonicTime due_;
  Resolver resolver_;
  boost::asio::ip::tcp::socket socket_;
  boost::asio::steady_timer timer_;
};

}  // namespace troupe::runtime
