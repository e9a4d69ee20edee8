#include "tests/bench/open_loop.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>
#include <stdexcept>
#include <utility>

#include "tests/bench/figure.hpp"

namespace troupe::bench {
namespace {

int connected(unsigned short port) {
  const int socket_fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(socket_fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    throw std::runtime_error("no connection to port " + std::to_string(port));
  const int on = 1;
  setsockopt(socket_fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  fcntl(socket_fd, F_SETFL, fcntl(socket_fd, F_GETFL) | O_NONBLOCK);
  return socket_fd;
}

class Clients {
 public:
  explicit Clients(const HttpLoad& load)
      : load_(load),
        epoll_(epoll_create1(0)),
        clients_(static_cast<std::size_t>(load.connections)) {
    for (std::size_t i = 0; i < clients_.size(); ++i) {
      connect(i);
      idle_.push_back(i);
    }
  }
  ~Clients() {
    for (const Client& client : clients_) close(client.fd);
    close(epoll_);
  }
  Clients(const Clients&) = delete;
  Clients& operator=(const Clients&) = delete;

  HttpLoadResult run() {
    start_ = Clock::now();
    double watched = 0;
    for (double elapsed = 0; elapsed < load_.seconds; elapsed = since(start_)) {
      send_due(elapsed);
      receive();
      if (elapsed - watched >= 1) load_.watch(watched = elapsed);
    }
    result_.seconds = since(start_);
    std::ranges::sort(result_.good_us);
    std::ranges::sort(result_.refused_us);
    return std::move(result_);
  }

 private:
  struct Client {
    int fd = -1;
    bool waits = false;
    double due = 0;  // seconds since the start
    std::string input;
  };

  void connect(std::size_t index) {
    Client& client = clients_[index];
    client.fd = connected(load_.port);
    client.input.clear();
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = index;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, client.fd, &event);
  }

  void send_due(double elapsed) {
    if (load_.rate == 0) {
      while (!idle_.empty()) send(elapsed);
      return;
    }
    const auto until = static_cast<std::uint64_t>(load_.rate * elapsed);
    for (; number_ < until;) {
      const double due = static_cast<double>(number_) / load_.rate;
      if (idle_.empty()) {
        ++number_;
        ++result_.unsent;
      } else {
        send(due);
      }
    }
  }

  void send(double due) {
    // The one that has waited longest.
    const std::size_t index = idle_.front();
    idle_.pop_front();
    Client& client = clients_[index];
    client.waits = true;
    client.due = due;
    const std::string bytes = load_.request(number_++);
    ++result_.sent;
    if (::send(client.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(bytes.size()))
      lose(index);
  }

  void receive() {
    std::array<epoll_event, 512> events;
    const int count = epoll_wait(epoll_, events.data(), events.size(), 1);
    for (int i = 0; i < count; ++i) {
      const std::size_t index = events[static_cast<std::size_t>(i)].data.u64;
      Client& client = clients_[index];
      std::array<char, 8192> bytes;
      const ssize_t got = recv(client.fd, bytes.data(), bytes.size(), 0);
      if (got > 0) {
        client.input.append(bytes.data(), static_cast<std::size_t>(got));
        take_answer(index);
      } else if (got == 0 || errno != EAGAIN) {
        lose(index);
      }
    }
  }

  void take_answer(std::size_t index) {
    Client& client = clients_[index];
    const auto head = client.input.find("\r\n\r\n");
    if (head == std::string::npos) return;
    std::size_t body = 0;
    const auto length = client.input.find("Content-Length: ");
    if (length < head) body = std::stoul(client.input.substr(length + 16, 20));
    if (client.input.size() < head + 4 + body) return;
    const double took = (since(start_) - client.due) * 1e6;
    if (client.input.compare(9, 1, "2") == 0)
      result_.good_us.push_back(took);
    else if (client.input.compare(9, 3, "429") == 0)
      result_.refused_us.push_back(took), ++result_.refused;
    else
      ++result_.failed;
    client.input.clear();
    client.waits = false;
    idle_.push_back(index);
  }

  void lose(std::size_t index) {
    Client& client = clients_[index];
    close(client.fd);
    if (client.waits) ++result_.failed;
    if (std::exchange(client.waits, false)) idle_.push_back(index);
    connect(index);
  }

  const HttpLoad& load_;
  const int epoll_;
  std::vector<Client> clients_;
  std::deque<std::size_t> idle_;
  std::uint64_t number_ = 0;
  Clock::time_point start_;
  HttpLoadResult result_;
};

}  // namespace

double HttpLoadResult::refused_share() const {
  const auto answered = static_cast<double>(good_us.size() + refused + failed);
  return answered == 0 ? 0 : static_cast<double>(refused) / answered;
}

HttpLoadResult run_http_load(const HttpLoad& load) {
  return Clients{load}.run();
}

double percentile(const std::vector<double>& sorted, double p) {
  if (sorted.empty()) return 0;
  const auto at = static_cast<std::size_t>(p * static_cast<double>(sorted.size()));
  return sorted[std::min(sorted.size() - 1, at)];
}

}  // namespace troupe::bench
