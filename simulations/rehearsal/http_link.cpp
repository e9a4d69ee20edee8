#include "simulations/rehearsal/http_link.hpp"

#include <optional>
#include <utility>

namespace troupe::simulations {

namespace {

using HttpAnswer = Result<HttpResponseText>;

Error lost(const std::string& why) {
  return unavailable("CONNECTION_LOST", "the connection ended before the answer: " + why);
}

}  // namespace

// Kept alive by the network for as long as the stream is open.
struct HttpLink::Connection final : runtime::StreamHandler {
  std::shared_ptr<runtime::Stream> stream;  // null: not connected yet
  std::string unsent;                       // until it is
  std::string received;
  std::optional<Waiter<HttpAnswer>::Delivery> waiting;
  bool closed = false;

  void send(std::string bytes) {
    if (stream) {
      stream->write(std::move(bytes));
    } else {
      unsent += bytes;
    }
  }

  void on_data(std::string_view bytes) override {
    received += bytes;
    HttpResponseText response;
    const auto complete = take_response(received, response);
    if (complete && !*complete) return;
    if (!complete || !waiting) {
      end(complete ? lost("bytes came that nobody had asked for") : complete.error());
      return;
    }
    if (const auto* word = response.header("Connection"); word && *word == "close") finish();
    answer(std::move(response));
  }

  void on_closed(const Result<void>& why) override {
    closed = true;
    stream.reset();
    answer(lost(why ? "it was closed" : why.error().describe()));
  }

  // The connection is not used any more.
  void finish() {
    closed = true;
    if (auto open = std::exchange(stream, nullptr)) open->close();
  }
  void end(Error why) {
    closed = true;
    if (auto open = std::exchange(stream, nullptr)) open->abort();
    answer(std::move(why));
  }
  void answer(HttpAnswer result) {
    if (auto delivery = std::exchange(waiting, std::nullopt)) (*delivery)(std::move(result));
  }
};

HttpLink::HttpLink(World& world, std::vector<runtime::Address> gateways, RandomStream random)
    : world_(world), gateways_(std::move(gateways)), random_(random) {}

HttpLink::~HttpLink() {
  if (!connection_) return;
  connection_->waiting.reset();
  connection_->end(cancelled("CANCELLED", "the client is gone"));
}

void HttpLink::leave() {
  if (connection_) connection_->finish();
}

Task<Result<HttpResponseText>> HttpLink::exchange(const HttpCall& call, std::string headers,
                                                  Duration limit) {
  const auto& gateway = gateways_[random_.between(0, gateways_.size() - 1)];
  std::string request =
      call.verb + ' ' + call.target + " HTTP/1.1\r\nHost: " + gateway.host + "\r\n" + headers;
  if (!call.body.empty() || call.verb != "GET")
    request +=
        "Content-Type: application/json\r\nContent-Length: " + std::to_string(call.body.size()) +
        "\r\n";
  request += "\r\n" + call.body;

  Waiter<HttpAnswer> waiter;
  if (!connection_ || connection_->closed) {
    connection_ = std::make_shared<Connection>();
    world_.outside().network().connect(
        gateway, limit,
        [connection = connection_](Result<std::shared_ptr<runtime::Stream>> stream)
            -> std::shared_ptr<runtime::StreamHandler> {
          if (!stream) {
            connection->end(stream.error());
            return nullptr;
          }
          if (connection->closed) return nullptr;  // given up meanwhile
          connection->stream = std::move(*stream);
          connection->stream->write(std::exchange(connection->unsent, {}));
          return connection;
        });
  }
  connection_->waiting = waiter.delivery();
  connection_->send(std::move(request));
  world_.after(limit, [connection = std::weak_ptr{connection_}, delivery = waiter.delivery()] {
    const auto open = connection.lock();
    if (open && !delivery.done())
      open->end(deadline_exceeded("DEADLINE_EXCEEDED", "no answer came in time"));
  });
  co_return co_await waiter;
}

Task<void> wait_in(World& world, Duration time) {
  Waiter<bool> waiter;
  world.after(time, [delivery = waiter.delivery()] { delivery(true); });
  co_await waiter;
}

}  // namespace troupe::simulations
