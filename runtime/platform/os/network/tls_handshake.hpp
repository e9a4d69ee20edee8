// The first moments of a secured connection, before it is a stream: both sides prove who they are,
// within a time. A peer that is refused is told why (an alert), and the socket drains for a moment
// so that the alert reaches it. Everything runs on the loop's thread.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string>

#include "runtime/platform/os/network/io_loop.hpp"
#include "runtime/platform/os/network/tls_session.hpp"

namespace troupe::runtime {

class TlsHandshake final : public LoopMember, public std::enable_shared_from_this<TlsHandshake> {
 public:
  struct Secured {
    boost::asio::ip::tcp::socket socket;
    std::unique_ptr<TlsSession> session;
  };
  using Done = std::function<void(Result<Secured>)>;

  TlsHandshake(std::shared_ptr<IoLoop> loop, boost::asio::ip::tcp::socket socket,
               std::unique_ptr<TlsSession> session);

  // `done` is called once, on the loop's thread, maybe before this returns. Errors: see
  // Network::connect(), and DEADLINE_EXCEEDED with reason HANDSHAKE_TIMEOUT.
  void start(Duration limit, Done done);

  const Address& remote() const { return remote_; }
  void shut_down() override;

 private:
  using ErrorCode = boost::system::error_code;
  void advance(std::string_view bytes);
  void go_on();
  void await(bool readable);
  void ready();
  bool flush();
  void read();
  void succeed();
  void refuse(Error why);
  void fail(Error why);
  void drain();
  void close();

  const std::shared_ptr<IoLoop> loop_;
  boost::asio::ip::tcp::socket socket_;
  std::unique_ptr<TlsSession> session_;
  boost::asio::steady_timer timer_;
  Address remote_;
  Done done_;
  std::string output_;
  std::size_t sent_ = 0;
  TlsSession::Progress progress_ = TlsSession::Progress::under_way;
  bool over_ = false;  // `done_` was called; the socket drains
};

}  // namespace troupe::runtime
