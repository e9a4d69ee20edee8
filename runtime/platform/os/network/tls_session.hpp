// TLS of one connection, between bytes and bytes: no socket, no thread, no time. What comes in is
// given as a view and read from there; what goes out gathers in one string of whole records, so
// that many records are one system call. (Asio's ssl::stream sends record by record and holds 34
// KiB for every connection, idle or not.) One thread at a time.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "runtime/platform/os/network/tls_context.hpp"

namespace troupe::runtime {

class TlsSession {
 public:
  enum class Side { connecting, accepting };
  TlsSession(std::shared_ptr<TlsContext> context, Side side);

  // --- until both sides have accepted each other ------------------------------------------------
  enum class Progress { under_way, done, failed };
  // Goes on with what the peer has sent. There may be output, also when it has failed: an alert
  // tells the peer.
  Progress shake_hands(std::string_view bytes);
  // Once it has failed; names the peer.
  Error failure(const Address& remote) const;
  // Once it is done.
  const std::string& peer_identity() const { return verdict_.identity; }

  // --- then -------------------------------------------------------------------------------------
  // Encrypts into the output, records of up to 16 KiB.
  Result<void> seal(std::string_view bytes);

  // What is to be sent; leaves none.
  std::string take_output() { return std::exchange(output_, {}); }
  bool has_output() const { return !output_.empty(); }

  // Decrypts all of it, and what was held back. `room` must hold all of that and a record more.
  enum class Input { goes_on, ended, broken };
  struct Opened {
    std::size_t count = 0;  // bytes in `room`
    Input input = Input::goes_on;
    std::string why;  // broken
  };
  Opened open(std::string_view bytes, std::span<char> room);
  // Whether something came with the end of the handshake; open() it with no bytes.
  bool holds_input() const { return !held_.empty() || SSL_pending(ssl_.get()) > 0; }

  // Tells the peer that no more comes. Into the output.
  void say_goodbye();

  // As BIOs see it.
  int write_output(const char* data, int count);
  int read_input(char* data, int count);

 private:
  const std::shared_ptr<TlsContext> context_;
  const Side side_;
  std::unique_ptr<SSL, FreedBy<SSL_free>> ssl_;
  TlsContext::Verdict verdict_;
  std::string_view input_;
  std::string held_;
  std::string output_;
  Error failure_;
};

}  // namespace troupe::runtime
