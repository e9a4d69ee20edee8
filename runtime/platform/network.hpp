// Byte streams between processes. Sockets, TLS and their threads live in the implementation.
//
// Threads: every callback of one stream runs one at a time and in order, on a thread of the
// network (in the simulator: in its event loop), never inside a call that the owner makes. A
// callback must not block: it parses, posts to actors and writes. All methods of Stream and
// Listener may be called from any thread.
//
// A stream ends as a whole: when the peer ends its side, what has been written until then is sent
// and the stream closes without an error. After close() or abort() no on_data() comes any more.
//
// Streams are plain, or secured by TLS 1.3 with a certificate on both sides: who listens or
// connects with a Security meets peers of its own cluster only, and learns their names. A server of
// the open network listens with one that shows a certificate and asks for none. On a secured stream
// an end that the peer did not announce is an error, so nobody can cut it short unnoticed.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "runtime/result.hpp"
#include "runtime/time.hpp"

namespace troupe::runtime {

// A host (name or IP literal) and a port; port 0 asks the system for a free one.
struct Address {
  std::string host;
  std::uint16_t port = 0;

  // "127.0.0.1:7000", "[::1]:7000"
  std::string to_string() const;
  // INVALID_ARGUMENT says what is wrong with the text.
  static Result<Address> parse(std::string_view text);
  friend bool operator==(const Address&, const Address&) = default;
};

class Stream {
 public:
  virtual ~Stream() = default;

  // Appends to the bytes to be sent. Ignored once the stream is closed.
  virtual void write(std::string bytes) = 0;

  // Bytes handed to write() and not yet taken by the peer's system; owners bound it.
  virtual std::size_t unsent() const = 0;

  // Stops and resumes on_data(), so that a fast peer is pushed back. While paused, a stream may not
  // notice that its peer has gone.
  virtual void pause_reading() = 0;
  virtual void resume_reading() = 0;

  // Closes the stream with DEADLINE_EXCEEDED after this time unless called again; zero: never.
  virtual void expire_after(Duration time) = 0;

  // Calls on_wake() once after this time, unless called again before: the last call holds.
  virtual void wake_after(Duration time) = 0;

  // Sends what is unsent, then closes. on_closed() follows.
  virtual void close() = 0;

  // Closes at once, dropping what is unsent. on_closed() follows, with CANCELLED; the peer sees a
  // lost connection, not an orderly end.
  virtual void abort() = 0;

  virtual Address remote() const = 0;

  // Who the peer proved to be, "spiffe://CLUSTER/node/NAME" (security/identity.hpp); empty on a
  // plain stream. Never changes.
  virtual std::string peer_identity() const { return {}; }
};

class StreamHandler {
 public:
  virtual ~StreamHandler() = default;

  // The bytes are valid during the call only.
  virtual void on_data(std::string_view bytes) = 0;

  // Once, as the last call. An error says why, if it was not an orderly close by either side.
  virtual void on_closed(const Result<void>& why) = 0;

  // Everything handed to write() has been taken by the system.
  virtual void on_drained() {}

  // As wake_after() asked for.
  virtual void on_wake() {}
};

class Listener {
 public:
  // Stops listening; accepted streams live on. No Accept runs any more when it returns.
  virtual ~Listener() = default;
  virtual Address local() const = 0;
};

// Paths of what a node shows and whom it believes, all PEM.
struct CredentialFiles {
  // Nodes of this cluster are let in, no others. Empty: anyone is, by TLS 1.2 or 1.3 and without a
  // certificate; for listen() alone, and with no authority.
  std::string cluster;
  std::string authority;    // certificates of the cluster's authority, one or more
  std::string certificate;  // the node's own, and after it those between it and the authority
  std::string key;          // the node's private key, unencrypted
  std::string revoked;      // the authority's list of revoked certificates; empty: none is kept
};

// Credentials in use, made by Network::load_security(). Any thread.
//
// Files that were changed are read again at the next handshake: it and later ones use the new ones,
// streams that are open live on. What cannot be used is logged once, and what was in use stays.
class Security {
 public:
  virtual ~Security() = default;

  // Of the node that they belong to, "spiffe://CLUSTER/node/NAME"; empty if anyone is let in.
  virtual std::string identity() const = 0;

  // When the certificate in use stops being valid.
  virtual WallTime valid_until() const = 0;
};

class Network {
 public:
  virtual ~Network() = default;

  // FAILED_PRECONDITION with reason CREDENTIALS_UNUSABLE names the file, what is wrong with it and
  // what to do. A certificate that is out of date is no error here: it is logged, and peers refuse
  // it until the file is renewed. May block; before the node's actors start.
  virtual Result<std::shared_ptr<Security>> load_security(const CredentialFiles& files) = 0;

  // Returns the handler of a new stream, or null to refuse it. The network keeps the handler
  // alive until its on_closed() returned.
  using Accept = std::function<std::shared_ptr<StreamHandler>(std::shared_ptr<Stream>)>;

  // UNAVAILABLE with reason ADDRESS_IN_USE, or INVALID_ARGUMENT for a name that does not resolve or
  // an address that is not ours. A name is bound to one address, an IPv4 one if it has any.
  //
  // With a security (of this network), Accept is called once a peer has proved who it is; what does
  // not within `handshake_time_max`, or is none of the cluster's nodes, is refused and logged.
  virtual Result<std::unique_ptr<Listener>> listen(
      const Address& address, Accept accept, std::shared_ptr<Security> security = nullptr) = 0;
  static constexpr Duration handshake_time_max = std::chrono::seconds{10};

  // Calls `connected` once, with a stream for which it returns the handler, or with an error:
  // DEADLINE_EXCEEDED, or UNAVAILABLE with reason CONNECTION_REFUSED, NAME_NOT_RESOLVED or
  // NETWORK_IO. Never inside connect().
  //
  // With a security (of this network), it succeeds once both sides have accepted each other, all
  // within the timeout. Otherwise the error is UNAUTHENTICATED with a reason that says what is
  // wrong with the peer's certificate (CERTIFICATE_*, IDENTITY_FOREIGN), or CERTIFICATE_REFUSED if
  // the peer refused ours, or UNAVAILABLE with reason HANDSHAKE_FAILED: it does not speak TLS 1.3.
  // Whether the peer is the node that was meant is for the owner to compare.
  using Connected = std::function<std::shared_ptr<StreamHandler>(Result<std::shared_ptr<Stream>>)>;
  virtual void connect(const Address& address, Duration timeout, Connected connected,
                       std::shared_ptr<Security> security = nullptr) = 0;
};

}  // namespace troupe::runtime
