// The gateway on real sockets and threads: what the in-memory network cannot show.
#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "cluster/gateway/gateway.hpp"
#include "gateway_fixture.hpp"
#include "runtime/platform/os/os_platform.hpp"
#include "tests/runtime/platform/event.hpp"

using namespace troupe;
using namespace troupe::cluster;
using namespace troupe::cluster::tests;
using troupe::tests::Event;

namespace {

// A blocking socket of a client.
class Socket {
 public:
  explicit Socket(std::uint16_t port) : socket_{::socket(AF_INET, SOCK_STREAM, 0)} {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
  }
  ~Socket() { ::close(socket_); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  // Until that many responses have come, or the server closes.
  std::vector<Received> receive(std::size_t count) {
    std::string bytes;
    for (;;) {
      char buffer[65536];
      const auto got = ::recv(socket_, buffer, sizeof(buffer), 0);
      if (got <= 0) return responses(bytes);
      bytes.append(buffer, static_cast<std::size_t>(got));
      if (complete(bytes) >= count) return responses(bytes);
    }
  }

 private:
  // Our answers' bodies end with "}" and hold none elsewhere, so they can be counted.
  static std::size_t complete(const std::string& bytes) {
    std::size_t count = 0;
    for (auto at = bytes.find('}'); at != std::string::npos; at = bytes.find('}', at + 1)) ++count;
    return count;
  }

  const int socket_;
};

// Answers with the book that was asked for, on threads of its own, which overtake each other.
class AnsweringClient final : public actors::Client {
 public:
  AnsweringClient() {
    for (int i = 0; i < 3; ++i) threads_.emplace_back([this] { run(); });
  }
  ~AnsweringClient() override {
    {
      const std::lock_guard lock{mutex_};
      over_ = true;
    }
    changed_.notify_all();
    for (auto& thread : threads_) thread.join();
  }

  void send(actors::CallBase call, actors::CallOptions, actors::ReplyTo reply_to) override {
    {
      const std::lock_guard lock{mutex_};
      waiting_.emplace_back(std::move(call.key), std::move(reply_to));
      ++seen_;
    }
    changed_.notify_all();
  }

  void hold(bool held) {
    {
      const std::lock_guard lock{mutex_};
      held_ = held;
    }
    changed_.notify_all();
  }

  void wait_until_seen(std::size_t count) {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [&] { return seen_ >= count; });
  }

 private:
  void run() {
    std::unique_lock lock{mutex_};
    for (;;) {
      changed_.wait(lock, [this] { return over_ || (!waiting_.empty() && !held_); });
      if (waiting_.empty()) return;
      auto [key, reply_to] = std::move(waiting_.front());
      waiting_.pop_front();
      lock.unlock();
      // Its first field is where every reply of the contract but Burn's has its book.
      v1::Loan loan;
      loan.set_book(key);
      reply_to(actors::Reply{loan.SerializeAsString(), 1, false});
      reply_to = nullptr;
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::pair<std::string, actors::ReplyTo>> waiting_;
  std::size_t seen_ = 0;
  bool held_ = false;
  bool over_ = false;
  std::vector<std::thread> threads_;
};

struct OsGateway {
  explicit OsGateway(HttpLimits limits = {}) {
    GatewayOptions options;
    options.listen = {"127.0.0.1", 0};
    options.limits = limits;
    gateway = Gateway::start(*platform, client, {&library()}, options).value();
  }
  std::uint16_t port() const { return gateway->local().port; }

  std::unique_ptr<runtime::Platform> platform = [] {
    runtime::OsOptions options;
    options.log_level = runtime::LogLevel::error;
    options.network_threads = 2;
    return runtime::make_os_platform(options);
  }();
  AnsweringClient client;
  std::unique_ptr<Gateway> gateway;
};

std::string burn(const std::string& book) {
  return json("DELETE", "/v1/books/" + book, "");
}

std::string lend(const std::string& book) {
  return json("POST", "/v1/books/" + book + ":lend", "{}");
}

}  // namespace

TEST_CASE("many clients pipeline over sockets and get their own answers in order") {
  HttpLimits limits;
  limits.in_flight_max = 5;
  OsGateway node{limits};
  constexpr int requests = 300;
  std::vector<std::thread> clients;
  std::vector<int> right(6, 0);
  for (int c = 0; c < 6; ++c) {
    clients.emplace_back([&, c] {
      Socket socket{node.port()};
      std::thread writer{[&] {
        for (int i = 0; i < requests; ++i)
          socket.send(lend(std::to_string(c) + "-" + std::to_string(i)));
      }};
      const auto all = socket.receive(requests * 2);  // two closing braces in each answer
      writer.join();
      for (std::size_t i = 0; i < all.size(); ++i) {
        const auto book = "\"book\":\"" + std::to_string(c) + "-" + std::to_string(i) + "\"";
        if (all[i].status == 200 && holds(all[i].body, book)) ++right[static_cast<std::size_t>(c)];
      }
    });
  }
  for (auto& client : clients) client.join();
  for (const int count : right) CHECK(count == requests);
}

TEST_CASE("a large body arrives whole, and one too large is refused while it is still sent") {
  OsGateway node;
  Socket socket{node.port()};
  const std::string text(900'000, 't');
  socket.send(json("PUT", "/v1/books/b", "{\"title\":\"" + text + "\"}"));
  CHECK(socket.receive(1).at(0).status == 200);

  Socket other{node.port()};
  other.send(json("PUT", "/v1/books/b", std::string(4'000'000, 't')));
  const auto refused = other.receive(1);
  REQUIRE(refused.size() == 1);
  CHECK(refused[0].status == 413);
}

TEST_CASE("a stop over sockets answers what is in flight and then closes") {
  OsGateway node;
  node.client.hold(true);
  Socket busy{node.port()};
  busy.send(burn("a"));
  Socket idle{node.port()};
  node.client.wait_until_seen(1);
  Event<> done;
  node.gateway->stop(std::chrono::seconds{60}, [&] { done.set(); });
  CHECK(idle.receive(1).empty());
  node.client.hold(false);
  const auto all = busy.receive(2);
  REQUIRE(all.size() == 1);
  CHECK(all[0].header("Connection") == "close");
  done.wait();
}

TEST_CASE("a gateway can go away under load, and late replies harm nobody") {
  for (int round = 0; round < 5; ++round) {
    OsGateway node;
    std::vector<std::thread> clients;
    std::vector<std::unique_ptr<Socket>> sockets;
    for (int c = 0; c < 3; ++c) {
      sockets.push_back(std::make_unique<Socket>(node.port()));
      clients.emplace_back([&socket = *sockets.back()] {
        for (int i = 0; i < 200; ++i) socket.send(burn("b"));
        socket.receive(SIZE_MAX);
      });
    }
    node.client.wait_until_seen(50);
    node.client.hold(true);
    node.gateway.reset();
    node.client.hold(false);
    for (auto& client : clients) client.join();
  }
}
