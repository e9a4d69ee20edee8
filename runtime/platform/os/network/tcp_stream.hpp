// A TCP connection as a Stream.
//
// Writing: write() only appends, on any thread; the first write() of a burst posts one job to the
// loop, which sends everything that has gathered by then in as few system calls as the socket
// takes.
//
// Reading: the loop waits for a socket to be readable and then reads into its one buffer, so that
// an idle connection holds no memory for it. A paused stream is not waited for, and TCP pushes the
// peer back.
//
// Closing: after close(), and when the peer ends its side, what was written is sent, then the
// socket is shut down and on_closed() called. The descriptor lives on for a moment, or until the
// peer ends its side too, and drops what comes: closing it with unread bytes would reset the
// connection and may take our last bytes from the peer.
//
// The bytes between socket and owner pass through exactly two places, next_to_send() and
// deliver(): that is where a TLS session stands, if there is one. What is sent is encrypted just
// before it leaves, so that little of it waits encrypted; what was read at once is decrypted and
// delivered at once. An end that the peer did not announce (close_notify) is a lost connection.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <memory>
#include <mutex>
#include <string>

#include "runtime/platform/network.hpp"
#include "runtime/platform/os/network/io_loop.hpp"
#include "runtime/platform/os/network/tls_session.hpp"
#include "runtime/telemetry/log.hpp"

namespace troupe::runtime {

class TcpStream final : public Stream,
                        public LoopMember,
                        public std::enable_shared_from_this<TcpStream> {
 public:
  // The socket is connected and belongs to the loop's context. A session has shaken hands; null:
  // the stream is plain.
  TcpStream(std::shared_ptr<IoLoop> loop, boost::asio::ip::tcp::socket socket,
            std::unique_ptr<TlsSession> session, Logger& log);

  // On the loop's thread, once. Without a handler the connection is refused.
  void begin(std::shared_ptr<StreamHandler> handler);

  void write(std::string bytes) override;
  std::size_t unsent() const override;
  void pause_reading() override;
  void resume_reading() override;
  void expire_after(Duration time) override;
  void wake_after(Duration time) override;
  void close() override;
  void abort() override;
  Address remote() const override { return remote_; }
  std::string peer_identity() const override { return peer_identity_; }

  void shut_down() override;

 private:
  using ErrorCode = boost::system::error_code;
  enum class Phase {
    open,
    closing,  // sends what is unsent; what comes in is dropped
    closed,   // on_closed() was called, or is about to be, or there is no handler
  };

  template <class Member>
  void post(Member member);

  // On the loop's thread.
  bool take_outbox();
  bool next_to_send();
  bool seal();
  void count_sent(std::size_t count);
  void send();
  void sent_all();
  void await_readable();
  void read();
  bool may_read();
  bool deliver(std::string_view bytes);
  bool deliver_sealed(std::string_view bytes);
  void socket_ended();
  template <class Call>
  bool call_handler(const char* callback, Call call);
  void input_ended();
  void begin_closing();
  void end_output();
  bool say_goodbye();
  void output_failed(const ErrorCode& error);
  void arm_timer();
  void want_timer(MonotonicTime when);  // with the mutex held
  void timer_fired();
  void fail(const Error& why, bool reset);
  void report_closed(const Result<void>& why);
  void close_socket(bool reset);
  Error handler_failed(const char* callback, const std::string& what);

  const std::shared_ptr<IoLoop> loop_;
  Logger& log_;
  Address remote_;
  const std::unique_ptr<TlsSession> session_;
  std::string peer_identity_;

  // The loop's thread only.
  boost::asio::ip::tcp::socket socket_;
  boost::asio::steady_timer timer_;
  std::shared_ptr<StreamHandler> handler_;
  std::deque<std::string> sealing_;  // taken from the outbox, to be encrypted; plain: stays empty
  std::size_t sealing_offset_ = 0;   // into the first of them
  std::deque<std::string> sending_;  // taken from the outbox, or encrypted
  std::size_t sending_offset_ = 0;   // into the first of them
  std::size_t sealed_bytes_ = 0;     // what `sending_` was before it was encrypted
  bool said_goodbye_ = false;
  bool input_ended_ = false;
  bool lingering_ = false;  // closed for the owner; the socket drains

  mutable std::mutex mutex_;
  // Guarded by the mutex.
  Phase phase_ = Phase::open;
  std::deque<std::string> outbox_;
  std::size_t unsent_ = 0;
  bool sending_posted_ = false;  // send() is posted or waits for the socket
  bool reading_ = true;          // a read is awaited or under way; begin() starts the first
  bool paused_ = false;
  bool aborted_ = false;
  bool timer_posted_ = false;
  MonotonicTime deadline_ = MonotonicTime::max();
  MonotonicTime wake_at_ = MonotonicTime::max();
  MonotonicTime timer_due_ = MonotonicTime::max();  // when the timer fires at the latest
};

}  // namespace troupe::runtime
