// An HTTP/1.1 server over the platform's byte streams: keep-alive, pipelining with answers in
// order, limits on everything that a peer decides, and a stop that finishes what is in flight.
//
// Threads: it has none. The handler runs on whatever thread brought the request's last byte (the
// network's; an answering one for requests that were pipelined behind), must not block, and for one
// connection runs one request at a time. Answers come from any thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "cluster/gateway/http/http_message.hpp"
#include "cluster/gateway/http/http_options.hpp"
#include "runtime/platform/platform.hpp"
#include "runtime/result.hpp"

namespace troupe::cluster {

class HttpConnection;

// What a request is answered with if its answer does not come within HttpLimits::answer_time.
class OverdueAnswer {
 public:
  virtual ~OverdueAnswer() = default;
  virtual HttpResponse overdue() const = 0;  // any thread
};

// The way back for one answer. Copies name the same request. Any thread may call it, exactly once:
// a second answer is a bug and aborts. If every copy is gone without one, the request is answered
// 500. When the client has hung up, the answer is dropped.
class Respond {
 public:
  Respond(std::shared_ptr<HttpConnection> connection, std::uint64_t sequence);
  void operator()(HttpResponse response) const;
  // Before the answer. Without it an overdue request gets a bare problem document.
  void if_overdue(std::shared_ptr<const OverdueAnswer> answer) const;

 private:
  struct Ticket;
  std::shared_ptr<Ticket> ticket_;
};

using HttpHandler = std::function<void(HttpRequest request, Respond respond)>;

// One request and its answer, for metrics and the access log. Views are valid during the call.
struct HttpExchange {
  std::string_view method;  // empty: the request could not be read
  std::string_view target;
  std::string_view route;
  std::string_view trace;
  unsigned status = 0;
  Duration took{};  // from the request's last byte to its answer
  std::size_t request_bytes = 0;
  std::size_t response_bytes = 0;
  bool client_gone = false;  // the answer could not be sent
  const runtime::Address* remote = nullptr;
};

struct HttpServerOptions {
  HttpLimits limits;
  // Both are called on any thread, must not block or call the server, and are called also after the
  // server is gone, as long as requests are unanswered or streams are closing: they own what they
  // use. Empty: not wanted.
  std::function<void(const HttpExchange&)> observe;
  std::function<void(std::size_t open)> connections_changed;
  std::shared_ptr<runtime::Security> security;  // of connections; null: they are plain text
};

class HttpServer {
 public:
  // Errors are those of Network::listen. The platform outlives the server and every Respond.
  static Result<std::unique_ptr<HttpServer>> listen(runtime::Platform& platform,
                                                    const runtime::Address& address,
                                                    HttpServerOptions options, HttpHandler handler);

  // Cuts off what stop() has not ended. When it returns, neither the handler nor what stop() was
  // given runs or will run; so it must not be called from inside one of them.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  const runtime::Address& local() const { return local_; }

  // Stops listening, closes connections that are idle once HttpLimits::stop_linger is over, lets
  // the others finish the requests that they have begun, and closes each as soon as it has; what is
  // left after `deadline` is cut off. `done` is called once when no connection is left, on any
  // thread, possibly before this returns. A second call changes nothing.
  void stop(Duration deadline, std::function<void()> done);

  struct Core;  // shared with the connections; http_core.hpp

 private:
  explicit HttpServer(std::shared_ptr<Core> core) : core_{std::move(core)} {}

  std::shared_ptr<Core> core_;
  std::unique_ptr<runtime::Listener> listener_;
  runtime::Address local_;
};

}  // namespace troupe::cluster
