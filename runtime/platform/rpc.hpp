// A server of gRPC (https://grpc.io, HTTP/2 with messages that are bytes here): connections, TLS,
// frames and their threads live in the implementation, services above it. Only platforms that have
// sockets have it: Platform::rpc() of the simulator is null.
//
// Threads: what one call tells its handler comes one at a time and in order, on a thread of the
// server, and never inside what the handler calls. A handler must not block. All methods of RpcCall
// and RpcServer may be called from any thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/platform/network.hpp"
#include "runtime/result.hpp"
#include "runtime/time.hpp"

namespace troupe::runtime {

using RpcMetadata = std::vector<std::pair<std::string, std::string>>;  // names in lower case

// How a call ended. `details` is a serialised google.rpc.Status, or empty.
struct RpcStatus {
  Code code = Code::ok;
  std::string message;
  std::string details;
};

// What is known of a call before its first message.
struct RpcRequest {
  std::string method;  // "/banking.v1.Accounts/Deposit"
  RpcMetadata metadata;
  std::optional<Duration> timeout;  // what is left until the client's deadline
};

// The server's side of a call. What is said after its end is ignored.
class RpcCall {
 public:
  virtual ~RpcCall() = default;

  // Asks for one message more: on_message() or on_end() follows. One at a time, and after what was
  // sent has been taken, so that a client that does not read is not read either.
  virtual void receive() = 0;
  virtual void send(std::string message) = 0;
  // Sends what was not sent yet and ends the call.
  virtual void finish(RpcStatus status, RpcMetadata trailers) = 0;
  // The only message, before which nothing was sent, and the end: OK.
  virtual void answer(std::string message, RpcMetadata headers) = 0;
};

class RpcHandler {
 public:
  virtual ~RpcHandler() = default;
  virtual void on_message(std::string message) = 0;
  // Instead of a message: the client has sent its last, or one that is too long; then the call ends
  // by itself with RESOURCE_EXHAUSTED.
  virtual void on_end() = 0;
  // It goes on for longer than RpcLimits::answer_time: said each second or so, until it ends.
  virtual void on_overdue() {}
  // The call is over: finished, cancelled by the client, or cut off by stop(). The last call.
  virtual void on_closed() = 0;
};

struct RpcLimits {
  std::size_t message_bytes_max = 1 << 20;
  std::size_t metadata_bytes_max = 16 << 10;           // of one call
  std::size_t connections_max = 10'000;                // further ones are closed
  std::size_t calls_max = 10'000;                      // further ones get RESOURCE_EXHAUSTED
  std::size_t streams_max = 1000;                      // calls at once of one connection
  Duration message_time = std::chrono::seconds{30};    // for a call's first message to arrive
  Duration answer_time = std::chrono::minutes{1};      // after its last message; on_overdue()
  Duration handshake_time = std::chrono::seconds{10};  // for TLS and HTTP/2 to begin
  Duration idle_time = std::chrono::minutes{1};        // a connection without calls is closed
};

struct RpcOptions {
  RpcLimits limits;
  // What clients are shown, PEM; both or neither. Read again when they change.
  std::string certificate;
  std::string key;
  // Runs `tell`, which calls on_message() of several calls.
  std::function<void(const std::function<void()>& tell)> together =
      [](const std::function<void()>& tell) { tell(); };
};

class RpcServer {
 public:
  // Cuts off what is left. Nothing calls a handler any more when it returns.
  virtual ~RpcServer() = default;
  virtual const Address& local() const = 0;
  // Takes no call any more, lets those that run finish; `done` comes once, at the latest soon after
  // `deadline`, when what is left was cut off.
  virtual void stop(Duration deadline, std::function<void()> done) = 0;
};

class RpcServers {
 public:
  virtual ~RpcServers() = default;

  // Returns the handler of a new call, whose first message has been asked for; or null, having
  // finished it.
  using Accept = std::function<std::shared_ptr<RpcHandler>(RpcRequest, std::shared_ptr<RpcCall>)>;

  // UNAVAILABLE with reason ADDRESS_IN_USE: the address is taken, or is not ours. Files that cannot
  // be used: FAILED_PRECONDITION with reason CREDENTIALS_UNUSABLE.
  virtual Result<std::unique_ptr<RpcServer>> listen(const Address& address, Accept accept,
                                                    const RpcOptions& options) = 0;
};

}  // namespace troupe::runtime
