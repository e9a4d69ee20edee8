// What the tests of the network share: a handler that notes what happens to it, a log that keeps
// its records, and a bare socket for peers that behave as no Stream would.
#pragma once

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "runtime/platform/os/os_network.hpp"
#include "tests/runtime/platform/event.hpp"

namespace troupe::tests {

using namespace std::chrono_literals;

class KeptLog final : public runtime::Logger {
 public:
  bool enabled(runtime::LogLevel) const override { return true; }
  void write(runtime::LogLevel, std::string_view event, std::string message,
             std::vector<runtime::LogField> fields, std::string) override {
    const std::lock_guard lock{mutex_};
    events_.emplace_back(event);
    text_ += std::string{event} + ": " + message;
    for (const auto& field : fields)
      text_ += " " + std::string{field.name} + "=" + field.value.text();
    text_ += "\n";
    changed_.notify_all();
  }
  void wait_for(const std::string& event) {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [&] { return count_locked(event) > 0; });
  }
  // Every line with its message and fields.
  std::string text() {
    const std::lock_guard lock{mutex_};
    return text_;
  }
  int count(const std::string& event) {
    const std::lock_guard lock{mutex_};
    return count_locked(event);
  }

 private:
  int count_locked(const std::string& event) const {
    int found = 0;
    for (const auto& one : events_) found += one == event ? 1 : 0;
    return found;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> events_;
  std::string text_;
};

// Checks the promises of StreamHandler: one callback at a time, on_closed() once and last.
class Handler : public runtime::StreamHandler {
 public:
  void on_data(std::string_view bytes) override {
    Inside inside{*this};
    if (data) data(bytes);
    const std::lock_guard lock{mutex_};
    received_ += bytes;
    changed_.notify_all();
  }
  void on_drained() override {
    Inside inside{*this};
    if (drained) drained();
    const std::lock_guard lock{mutex_};
    ++drained_;
    changed_.notify_all();
  }
  void on_wake() override {
    Inside inside{*this};
    const std::lock_guard lock{mutex_};
    ++woken_;
    changed_.notify_all();
  }
  void on_closed(const Result<void>& why) override {
    Inside inside{*this};
    if (closing) closing();
    const std::lock_guard lock{mutex_};
    over_ = true;
    why_ = why;
    changed_.notify_all();
  }

  std::string wait_for_bytes(std::size_t count) {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [&] { return received_.size() >= count || over_; });
    return received_;
  }
  void wait_until_drained() {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [&] { return drained_ > 0; });
  }
  void wait_until_woken(int times) {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [&] { return woken_ >= times; });
  }
  int woken() {
    const std::lock_guard lock{mutex_};
    return woken_;
  }
  Result<void> wait_until_closed() {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [&] { return over_; });
    return why_;
  }
  std::string received() {
    const std::lock_guard lock{mutex_};
    return received_;
  }
  bool is_over() {
    const std::lock_guard lock{mutex_};
    return over_;
  }

  // Set before the stream begins; called before the event is noted.
  std::function<void(std::string_view)> data;
  std::function<void()> drained;
  std::function<void()> closing;
  std::shared_ptr<runtime::Stream> stream;

 private:
  struct Inside {
    explicit Inside(Handler& handler) : handler_(handler) {
      const std::lock_guard lock{handler.mutex_};
      if (handler.inside_ || handler.over_) std::abort();
      handler.inside_ = true;
    }
    ~Inside() {
      const std::lock_guard lock{handler_.mutex_};
      handler_.inside_ = false;
    }
    Handler& handler_;
  };

  std::mutex mutex_;
  std::condition_variable changed_;
  bool inside_ = false;
  bool over_ = false;
  int drained_ = 0;
  int woken_ = 0;
  std::string received_;
  Result<void> why_;
};

// A network with one listener on loopback; every accepted stream gets a Handler.
struct Served {
  explicit Served(
      std::size_t threads = 1, std::function<void(Handler&)> prepare = [](Handler&) {})
      : network(runtime::make_os_network(threads, log)) {
    auto listening =
        network->listen({"127.0.0.1", 0}, [this, prepare](std::shared_ptr<runtime::Stream> stream) {
          auto handler = std::make_shared<Handler>();
          handler->stream = std::move(stream);
          prepare(*handler);
          const std::lock_guard lock{mutex};
          accepted.push_back(handler);
          changed.notify_all();
          return handler;
        });
    REQUIRE(listening);
    listener = *std::move(listening);
    address = listener->local();
  }
  ~Served() {
    listener.reset();
    network.reset();
    // Handler and stream hold each other, as an owner's do until it lets go.
    for (auto& handler : accepted) handler->stream.reset();
  }

  std::shared_ptr<Handler> wait_for_stream(std::size_t number = 0) {
    std::unique_lock lock{mutex};
    changed.wait(lock, [&] { return accepted.size() > number; });
    return accepted[number];
  }

  KeptLog log;
  std::unique_ptr<runtime::Network> network;
  std::unique_ptr<runtime::Listener> listener;
  runtime::Address address;
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::shared_ptr<Handler>> accepted;
};

// Connects and waits for the outcome.
inline Result<std::shared_ptr<Handler>> connect(
    runtime::Network& network, const runtime::Address& address, Duration timeout = 1h,
    std::shared_ptr<Handler> handler = std::make_shared<Handler>()) {
  auto outcome = std::make_shared<Event<Result<std::shared_ptr<Handler>>>>();
  network.connect(address, timeout, [outcome, handler](auto stream) {
    std::shared_ptr<runtime::StreamHandler> owner;
    if (stream) {
      handler->stream = *stream;
      owner = handler;
      outcome->set(handler);
    } else {
      outcome->set(stream.error());
    }
    return owner;
  });
  return outcome->wait();
}

// A blocking socket of the system.
class BareSocket {
 public:
  explicit BareSocket(const runtime::Address& peer) : BareSocket() { connect(peer); }
  BareSocket() : number_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    REQUIRE(number_ >= 0);
  }
  ~BareSocket() { close(); }

  void connect(const runtime::Address& peer) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(peer.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(number_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
  }
  void send(std::string_view bytes) { REQUIRE(try_send(bytes)); }
  // False: the peer has ended the connection.
  bool try_send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto count = ::send(number_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }
  // What has come when the peer has ended its side; `failure` is errno if it ended otherwise.
  std::string receive_all(int* failure = nullptr) {
    std::string bytes;
    char buffer[65536];
    for (;;) {
      const auto count = ::recv(number_, buffer, sizeof(buffer), 0);
      if (failure != nullptr) *failure = count < 0 ? errno : 0;
      if (count <= 0) return bytes;
      bytes.append(buffer, static_cast<std::size_t>(count));
    }
  }
  std::string receive(std::size_t count) {
    std::string bytes(count, '\0');
    REQUIRE(::recv(number_, bytes.data(), count, MSG_WAITALL) == static_cast<ssize_t>(count));
    return bytes;
  }
  void end_output() { REQUIRE(::shutdown(number_, SHUT_WR) == 0); }
  void reset() {
    const linger hard{1, 0};
    REQUIRE(::setsockopt(number_, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard)) == 0);
    close();
  }
  void close() {
    if (number_ >= 0) ::close(number_);
    number_ = -1;
  }
  int number() const { return number_; }

 private:
  int number_;
};

// Bytes of which a lost, doubled or moved piece would be seen.
inline std::string pattern(std::size_t count) {
  std::string bytes(count, '\0');
  std::uint32_t state = 1;
  for (auto& byte : bytes) {
    state = state * 1664525 + 1013904223;
    byte = static_cast<char>(state >> 24);
  }
  return bytes;
}

}  // namespace troupe::tests
