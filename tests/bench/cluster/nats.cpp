#include "tests/bench/cluster/nats.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>

namespace troupe::bench {
namespace {

// The client's side of https://docs.nats.io/reference/protocols/client, as far as it is needed.
class NatsConnection {
 public:
  explicit NatsConnection(unsigned short port) : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int on = 1;
    setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const timeval most{.tv_sec = 2, .tv_usec = 0};
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof most);
    if (connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
      throw std::runtime_error("no connection with a NATS server");
    out_ =
        "CONNECT {\"verbose\":false,\"pedantic\":false,\"headers\":true,\"no_responders\":true}\r\n"
        "SUB _INBOX.b.* 1\r\n";
  }
  ~NatsConnection() { close(socket_); }
  NatsConnection(const NatsConnection&) = delete;
  NatsConnection& operator=(const NatsConnection&) = delete;

  // Leaves with flush().
  void publish(const std::string& subject, std::size_t reply_slot, const std::string& payload) {
    out_ += "PUB " + subject + " _INBOX.b." + std::to_string(reply_slot) + " " +
            std::to_string(payload.size()) + "\r\n" + payload + "\r\n";
  }

  void flush() {
    for (std::size_t at = 0; at < out_.size();) {
      const ssize_t sent = ::send(socket_, out_.data() + at, out_.size() - at, MSG_NOSIGNAL);
      if (sent <= 0) throw std::runtime_error("the NATS server closed the connection");
      at += static_cast<std::size_t>(sent);
    }
    out_.clear();
  }

  // Waits for bytes and hands out the messages that are complete. False: for two seconds none came.
  template <class Take>
  bool receive(Take take) {
    char buffer[65536];
    const ssize_t got = recv(socket_, buffer, sizeof buffer, 0);
    if (got < 0 && errno == EAGAIN) return false;
    if (got <= 0) throw std::runtime_error("the NATS server closed the connection");
    in_.append(buffer, static_cast<std::size_t>(got));
    std::size_t at = 0;
    for (;;) {
      const std::size_t end = in_.find("\r\n", at);
      if (end == std::string::npos) break;
      const std::string_view line{in_.data() + at, end - at};
      if (line.starts_with("MSG ") || line.starts_with("HMSG ")) {
        const std::size_t size = std::strtoul(line.data() + line.rfind(' ') + 1, nullptr, 10);
        if (in_.size() < end + 2 + size + 2) break;
        const std::size_t from = line.find(' ') + 1;
        take(line.substr(from, line.find(' ', from) - from),
             std::string_view{in_}.substr(end + 2, size));
        at = end + 2 + size + 2;
        continue;
      }
      if (line.starts_with("PING")) out_ += "PONG\r\n";
      if (line.starts_with("-ERR")) throw std::runtime_error("NATS: " + std::string{line});
      at = end + 2;
    }
    in_.erase(0, at);
    return true;
  }

  // Publishes to a subject of the server's own and returns its answer; empty: there is none, as
  // while the servers have no leader.
  std::string ask(const std::string& subject, const std::string& payload) {
    publish(subject, 0, payload);
    flush();
    std::string answer;
    while (answer.empty() &&
           receive([&](std::string_view, std::string_view bytes) { answer = bytes; })) {
    }
    return answer;
  }

 private:
  int socket_;
  std::string in_, out_;
};

}  // namespace

Nats::Nats(const Options& options) : folder_(options.scratch + "/nats") {
  std::filesystem::remove_all(folder_);
  std::filesystem::create_directories(folder_);
  std::vector<unsigned short> ports, routes;
  std::string others;
  for (int n = 0; n < 3; ++n) {
    ports.push_back(free_port());
    routes.push_back(free_port());
    others += "nats-route://127.0.0.1:" + std::to_string(routes.back()) + ", ";
  }
  for (std::size_t n = 0; n < 3; ++n) {
    const std::string own = folder_ + "/" + std::to_string(n);
    std::ofstream(own + ".conf") << "server_name: s" << n << "\nlisten: 127.0.0.1:"
                                 << ports[n]
                                 // Its client is silent while others are measured.
                                 << "\nping_interval: \"1h\""
                                 << "\njetstream { store_dir: \"" << own
                                 << "\", max_mem: 64M, max_file: 8G }\ncluster { name: bench, "
                                 << "listen: 127.0.0.1:" << routes[n] << ", routes: [ " << others
                                 << "] }\n";
    servers_.push_back(std::make_unique<Server>(
        std::vector<std::string>{"nats-server", "-c", own + ".conf"}, own + ".log"));
  }
  for (std::size_t n = 0; n < 3; ++n) servers_[n]->wait_port(ports[n]);
  const auto start = Clock::now();
  while (leader_ == 0) {
    if (since(start) > 40)
      throw std::runtime_error("the NATS servers make no stream; see " + folder_);
    std::this_thread::sleep_for(std::chrono::milliseconds{200});  // between questions to a server
    NatsConnection connection{ports[0]};
    connection.ask("$JS.API.STREAM.CREATE.bench",
                   R"({"name":"bench","subjects":["bench"],"num_replicas":3,"storage":"file"})");
    const std::string info = connection.ask("$JS.API.STREAM.INFO.bench", "");
    const std::string label = "\"leader\":\"s";
    const auto at = info.find(label);
    if (at != std::string::npos)
      leader_ = ports.at(static_cast<std::size_t>(info[at + label.size()] - '0'));
  }
  publishes(64, 0.5);
}

Nats::~Nats() {
  servers_.clear();
  std::filesystem::remove_all(folder_);
}

LoopResult Nats::publishes(int in_flight, double seconds) {
  NatsConnection connection{leader_};
  const std::string payload(100, 'v');
  std::vector<Clock::time_point> begins(static_cast<std::size_t>(in_flight));
  const auto send = [&](std::size_t slot) {
    begins[slot] = Clock::now();
    connection.publish("bench", slot, payload);
  };
  LoopResult result;
  const auto start = Clock::now();
  for (std::size_t slot = 0; slot < begins.size(); ++slot) send(slot);
  for (int running = in_flight; running > 0;) {
    connection.flush();
    connection.receive([&](std::string_view subject, std::string_view answer) {
      if (answer.find("\"seq\"") == std::string_view::npos)
        throw std::runtime_error("a publish failed: " + std::string{answer});
      const std::size_t slot = std::strtoul(subject.data() + subject.rfind('.') + 1, nullptr, 10);
      result.latency_us.push_back(since(begins.at(slot)) * 1e6);
      if (since(start) < seconds)
        send(slot);
      else
        --running;
    });
  }
  result.seconds = since(start);
  std::sort(result.latency_us.begin(), result.latency_us.end());
  result.rate = static_cast<double>(result.latency_us.size()) / result.seconds;
  return result;
}

}  // namespace troupe::bench
