// A platform of one thread and no sockets: a clock that tests move, and streams whose other end a
// test holds. Callbacks run inside run() and advance(), as the network's contract wants: never
// inside a call that the owner makes.
#pragma once

#include <cstdlib>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/platform/platform.hpp"

namespace troupe::cluster::tests {

class MemoryClock final : public runtime::Clock {
 public:
  MonotonicTime now() const override { return MonotonicTime{elapsed}; }
  WallTime wall() const override {
    // 2024-02-29 12:00:00 UTC
    return WallTime{std::chrono::milliseconds{1'709'208'000'000}} +
           std::chrono::floor<std::chrono::milliseconds>(elapsed);
  }
  Duration elapsed = std::chrono::hours{1};
};

class MemoryRandom final : public runtime::Random {
 public:
  std::uint64_t next() override {
    state_ += 0x9E3779B97F4A7C15;
    auto z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
  }

 private:
  std::uint64_t state_ = 1;
};

class MemoryLog final : public runtime::Logger {
 public:
  bool enabled(runtime::LogLevel) const override { return true; }
  void write(runtime::LogLevel, std::string_view event, std::string message,
             std::vector<runtime::LogField> fields, std::string trace) override {
    std::string line{event};
    line += ": " + message;
    for (const auto& field : fields) {
      line += ' ';
      line += field.name;
      line += '=' + field.value.text();
    }
    lines.push_back(line + " trace=" + trace);
  }
  std::vector<std::string> lines;
};

class MemoryNetwork;

// The server's end of a connection; the test's end is MemoryClient.
class MemoryStream final : public runtime::Stream {
 public:
  MemoryStream(MemoryNetwork& network, std::uint64_t id) : network_{network}, id_{id} {}

  void write(std::string bytes) override;
  std::size_t unsent() const override { return unsent_.size(); }
  void pause_reading() override { paused_ = true; }
  void resume_reading() override;
  void expire_after(Duration time) override;
  void wake_after(Duration time) override;
  void close() override;
  void abort() override;
  runtime::Address remote() const override { return {"198.51.100.7", 40'000}; }

 private:
  friend class MemoryNetwork;
  friend class MemoryClient;

  void deliver();
  void drain();
  void end(Result<void> why);

  MemoryNetwork& network_;
  const std::uint64_t id_;
  std::shared_ptr<runtime::StreamHandler> handler_;
  std::deque<std::string> incoming_;
  std::string unsent_;
  std::string received_;           // what the client has
  std::size_t window_ = SIZE_MAX;  // bytes that the client still takes
  std::optional<MonotonicTime> expiry_;
  std::optional<MonotonicTime> wake_;
  bool paused_ = false;
  bool closing_ = false;
  bool closed_ = false;
};

class MemoryNetwork final : public runtime::Network {
 public:
  explicit MemoryNetwork(MemoryClock& clock) : clock_{clock} {}
  ~MemoryNetwork() override;

  Result<std::shared_ptr<runtime::Security>> load_security(
      const runtime::CredentialFiles&) override {
    std::abort();
  }
  Result<std::unique_ptr<runtime::Listener>> listen(const runtime::Address& address, Accept accept,
                                                    std::shared_ptr<runtime::Security>) override;
  void connect(const runtime::Address&, Duration, Connected,
               std::shared_ptr<runtime::Security>) override {
    std::abort();
  }

  void post(std::function<void()> event) { events_.push_back(std::move(event)); }
  void run();                   // until nothing is left to do
  void advance(Duration time);  // moves the clock, letting timers go off in order

 private:
  friend class MemoryStream;
  friend class MemoryClient;
  friend class MemoryListener;

  MemoryClock& clock_;
  std::deque<std::function<void()>> events_;
  std::map<std::uint16_t, Accept> listeners_;
  std::map<std::uint64_t, std::shared_ptr<MemoryStream>> streams_;
  std::uint16_t last_port_ = 49'151;
  std::uint64_t last_stream_ = 0;
};

class MemoryPlatform final : public runtime::Platform {
 public:
  runtime::Clock& clock() override { return clock_; }
  runtime::Random& random() override { return random_; }
  runtime::Disk& disk() override { std::abort(); }
  runtime::Workers& workers() override { std::abort(); }
  runtime::RpcServers* rpc() override { return rpc_servers; }
  MemoryNetwork& network() override { return network_; }
  MemoryLog& log() override { return log_; }
  runtime::Metrics& metrics() override { return *metrics_; }
  void configure(caf::actor_system_config&) override { std::abort(); }
  void fail_stop(const Error&) override { std::abort(); }

  void advance(Duration time) { network_.advance(time); }

  runtime::RpcServers* rpc_servers = nullptr;  // a test may give its own

 private:
  MemoryClock clock_;
  MemoryRandom random_;
  MemoryLog log_;
  std::unique_ptr<runtime::Metrics> metrics_ = runtime::Metrics::make();
  MemoryNetwork network_{clock_};  // last: its end closes streams, whose owners use the others
};

// The far end of one connection.
class MemoryClient {
 public:
  // Connects; the server accepts or refuses before this returns.
  MemoryClient(MemoryPlatform& platform, const runtime::Address& server);

  void send(std::string bytes);  // arrives as one piece
  void send_bytewise(std::string_view bytes);
  void hang_up();                           // closes both ways
  std::string take();                       // what has arrived since the last take()
  void read_only_up_to(std::size_t bytes);  // a slow reader; SIZE_MAX: takes all again
  bool closed() const { return stream_->closed_; }
  bool read_paused() const { return stream_->paused_; }

 private:
  MemoryNetwork& network_;
  std::shared_ptr<MemoryStream> stream_;
};

}  // namespace troupe::cluster::tests
