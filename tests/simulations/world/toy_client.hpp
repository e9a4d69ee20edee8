// A client of the toy node, outside: keeps a few numbers in flight and remembers which were
// acknowledged. When its connection ends it makes another; what was in flight then is unknown.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>

#include "tests/simulations/world/support.hpp"

namespace troupe::simulations {

class ToyClient : public std::enable_shared_from_this<ToyClient> {
 public:
  explicit ToyClient(World& world) : world_(world) {}

  std::set<std::uint64_t> sent;
  std::set<std::uint64_t> acknowledged;
  std::uint64_t refused = 0;  // "full"
  std::size_t in_flight_max = 5;

  void connect() {
    world_.outside().network().connect({"node-1", 80}, 1s,
                                       [self = shared_from_this()](auto stream) {
                                         if (stream) return self->open(std::move(*stream));
                                         self->try_again();
                                         return std::shared_ptr<runtime::StreamHandler>{};
                                       });
  }

 private:
  struct Session final : runtime::StreamHandler {
    std::shared_ptr<ToyClient> client;
    std::string received;

    void on_data(std::string_view bytes) override {
      received += bytes;
      for (auto end = received.find('\n'); end != std::string::npos; end = received.find('\n')) {
        client->answer(received.substr(0, end));
        received.erase(0, end + 1);
      }
    }
    void on_closed(const Result<void>&) override {
      client->stream_.reset();
      client->try_again();
    }
  };

  std::shared_ptr<runtime::StreamHandler> open(std::shared_ptr<runtime::Stream> stream) {
    stream_ = std::move(stream);
    in_flight_ = 0;
    send();
    auto session = std::make_shared<Session>();
    session->client = shared_from_this();
    return session;
  }

  void try_again() {
    world_.after(5ms, [self = weak_from_this()] {
      if (const auto client = self.lock()) client->connect();
    });
  }

  void send() {
    for (; stream_ && in_flight_ < in_flight_max; ++in_flight_) {
      sent.insert(++last_);
      stream_->write("put " + std::to_string(last_) + '\n');
    }
  }

  void answer(const std::string& line) {
    const auto number = std::stoull(line.substr(line.find(' ')));
    if (line.starts_with("ok ")) {
      acknowledged.insert(number);
    } else {
      ++refused;
    }
    --in_flight_;
    send();
  }

  World& world_;
  std::shared_ptr<runtime::Stream> stream_;
  std::size_t in_flight_ = 0;
  std::uint64_t last_ = 0;
};

}  // namespace troupe::simulations
