// Byte streams between processes. Sockets, TLS and their threads live in the implementation.
//
// Threads: every callback of one stream runs one at a time and in order, on a thread of the
// network (in the simulator: in its event loop), never inside a call that the owner makes. A
// callback must not block: it parses, posts to actors and writes. All methods of Stream and
// Listener may be called from any thread.
//
// A stream ends as a whole: when the peer ends its side, what has been written until then is sent
// and the stream closes without an error. After close() or abort() no on_data() comes any more.
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

  // Sends what is unsent, then closes. on_closed() follows.
  virtual void close() = 0;

  // Closes at once, dropping what is unsent. on_closed() follows, with CANCELLED; the peer sees a
  // lost connection, not an orderly end.
  virtual void abort() = 0;

  virtual Address remote() const = 0;
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
};

class Listener {
 public:
  // Stops listening; accepted streams live on. No Accept runs any more when it returns.
  virtual ~Listener() = default;
  virtual Address local() const = 0;
};

class Network {
 public:
  virtual ~Network() = default;

  // Returns the handler of a new stream, or null to refuse it. The network keeps the handler
  // alive until its on_closed() returned.
  using Accept = std::function<std::shared_ptr<StreamHandler>(std::shared_ptr<Stream>)>;

  // UNAVAILABLE with reason ADDRESS_IN_USE, or INVALID_ARGUMENT for a name that does not resolve or
  // an address that is not ours. A name is bound to one address, an IPv4 one if it has any.
  virtual Result<std::unique_ptr<Listener>> listen(const Address& address, Accept accept) = 0;

  // Calls `connected` once, with a stream for which it returns the handler, or with an error:
  // DEADLINE_EXCEEDED, or UNAVAILABLE with reason CONNECTION_REFUSED, NAME_NOT_RESOLVED or
  // NETWORK_IO. Never inside connect().
  using Connected = std::function<std::shared_ptr<StreamHandler>(Result<std::shared_ptr<Stream>>)>;
  virtual void connect(const Address& address, Duration timeout, Connected connected) = 0;
};

}  // namespace troupe::runtime
