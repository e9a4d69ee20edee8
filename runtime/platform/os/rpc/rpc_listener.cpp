#include "runtime/platform/os/rpc/rpc_listener.hpp"

#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <system_error>
#include <utility>

#include "runtime/platform/os/files/descriptors.hpp"
#include "runtime/platform/os/threads/threads.hpp"

namespace troupe::runtime {
namespace {

constexpr int back_off_ms = 100;

std::string words_of(int error) {
  return std::system_category().message(error);
}

Error cannot_listen(const Address& address, const std::string& why) {
  return unavailable("ADDRESS_IN_USE", "gRPC cannot listen on " + address.to_string() +
                                           ", which is taken or not of this machine: " + why);
}

// Zero: there is no such socket any more.
ino_t socket_number(int descriptor) {
  struct stat about {};
  return ::fstat(descriptor, &about) == 0 && S_ISSOCK(about.st_mode) ? about.st_ino : 0;
}

void set(int descriptor, int level, int option) {
  const int on = 1;
  ::setsockopt(descriptor, level, option, &on, sizeof on);
}

std::uint16_t port_of(int descriptor) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size);
  if (address.ss_family == AF_INET6)
    return ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port);
  return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

}  // namespace

RpcListener::RpcListener(std::size_t connections_max, Logger& log)
    : connections_max_(connections_max), log_(log), stop_(::eventfd(0, EFD_CLOEXEC)) {}

RpcListener::~RpcListener() {
  stop();
  if (socket_ >= 0) ::close(socket_);
  if (stop_ >= 0) ::close(stop_);
}

Result<void> RpcListener::open(const Address& address) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int unresolved =
      ::getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &wanted, &found);
  if (unresolved != 0) return cannot_listen(address, ::gai_strerror(unresolved));
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> all{found, ::freeaddrinfo};
  // "localhost" is where other programs look for it: its IPv4 address, if it has one.
  const addrinfo* chosen = found;
  for (const addrinfo* one = found; one != nullptr && chosen->ai_family != AF_INET;
       one = one->ai_next)
    if (one->ai_family == AF_INET) chosen = one;
  socket_ = ::socket(chosen->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (socket_ < 0 || stop_ < 0) return cannot_listen(address, words_of(errno));
  set(socket_, SOL_SOCKET, SO_REUSEADDR);
  if (::bind(socket_, chosen->ai_addr, chosen->ai_addrlen) != 0 ||
      ::listen(socket_, SOMAXCONN) != 0)
    return cannot_listen(address, words_of(errno));
  local_ = {address.host, port_of(socket_)};
  return {};
}

void RpcListener::start(Accepted accepted) {
  accepted_ = std::move(accepted);
  thread_ = std::thread{[this] {
    begin_thread("rpc-accept");
    run();
  }};
}

void RpcListener::stop() {
  if (!thread_.joinable()) return;
  ::eventfd_write(stop_, 1);
  thread_.join();
  ::close(std::exchange(socket_, -1));  // who still waits in its queue is refused
}

bool RpcListener::wait(int descriptor, int milliseconds) {
  pollfd both[2] = {{stop_, POLLIN, 0}, {descriptor, POLLIN, 0}};
  ::poll(both, descriptor < 0 ? 1 : 2, milliseconds);
  return both[0].revents == 0;
}

void RpcListener::run() {
  while (wait(socket_, -1)) accept_one();
}

void RpcListener::accept_one() {
  const int descriptor = ::accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (descriptor < 0) {
    if (errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM) return;
    say("network.accept_failed", words_of(errno));
    wait(-1, back_off_ms);
    return;
  }
  if (!has_room(descriptor)) {
    ::close(descriptor);
    return;
  }
  given_[descriptor] = socket_number(descriptor);
  set(descriptor, IPPROTO_TCP, TCP_NODELAY);
  accepted_(descriptor);
}

bool RpcListener::has_room(int descriptor) {
  if (descriptors_scarce(descriptor)) {
    say("network.descriptors_scarce", "too few descriptors are left");
    return false;
  }
  if (given_.size() < connections_max_) return true;
  std::erase_if(given_, [](const auto& one) { return socket_number(one.first) != one.second; });
  if (given_.size() < connections_max_) return true;
  say("network.connections_refused",
      "there are " + std::to_string(given_.size()) + " connections, which is the most");
  return false;
}

void RpcListener::say(const char* event, const std::string& what) {
  if (!seldom_.due(std::chrono::steady_clock::now())) return;
  log_.warn(event, "connections of gRPC are not accepted",
            {{"address", local_.to_string()}, {"what", what}});
}

}  // namespace troupe::runtime
