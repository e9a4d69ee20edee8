#include "runtime/platform/os/rpc/rpc_connections.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <utility>

namespace troupe::runtime {
namespace {

// As gRPC names it, but without the brackets of IPv6, which its versions write in two ways.
std::string peer_of(int descriptor) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getpeername(descriptor, reinterpret_cast<sockaddr*>(&address), &size) != 0) return {};
  char text[INET6_ADDRSTRLEN] = {};
  if (address.ss_family == AF_INET) {
    const auto& inet = reinterpret_cast<const sockaddr_in&>(address);
    ::inet_ntop(AF_INET, &inet.sin_addr, text, sizeof text);
    return std::string{"ipv4:"} + text + ':' + std::to_string(ntohs(inet.sin_port));
  }
  if (address.ss_family != AF_INET6) return {};
  const auto& inet = reinterpret_cast<const sockaddr_in6&>(address);
  const std::string port = ':' + std::to_string(ntohs(inet.sin6_port));
  if (IN6_IS_ADDR_V4MAPPED(&inet.sin6_addr)) {
    ::inet_ntop(AF_INET, &inet.sin6_addr.s6_addr[12], text, sizeof text);
    return std::string{"ipv4:"} + text + port;
  }
  ::inet_ntop(AF_INET6, &inet.sin6_addr, text, sizeof text);
  return std::string{"ipv6:"} + text + port;
}

std::string without_brackets(std::string peer) {
  for (const char* bracket : {"%5B", "%5D", "[", "]"})
    if (const auto at = peer.find(bracket); at != std::string::npos)
      peer.erase(at, std::string_view{bracket}.size());
  return peer;
}

void cork(int descriptor, int on) {
  if (descriptor >= 0) ::setsockopt(descriptor, IPPROTO_TCP, TCP_CORK, &on, sizeof on);
}

}  // namespace

void RpcConnections::add(int descriptor) {
  std::string peer = peer_of(descriptor);
  const std::lock_guard guard{mutex_};
  std::string& known = peers_[descriptor];
  if (const auto earlier = descriptors_.find(known);
      earlier != descriptors_.end() && earlier->second == descriptor)
    descriptors_.erase(earlier);
  known = peer;
  if (!peer.empty()) descriptors_[std::move(peer)] = descriptor;
}

int RpcConnections::descriptor_of(const std::string& peer) const {
  const bool brackets = peer.starts_with("ipv6:");
  const std::lock_guard guard{mutex_};
  const auto found = descriptors_.find(brackets ? without_brackets(peer) : peer);
  return found == descriptors_.end() ? -1 : found->second;
}

RpcCork::RpcCork(int descriptor) : descriptor_(descriptor) {
  cork(descriptor_, 1);
}

RpcCork::~RpcCork() {
  cork(descriptor_, 0);
}

}  // namespace troupe::runtime
