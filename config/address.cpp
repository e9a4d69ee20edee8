#include "config/address.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace troupe::config {
namespace {

constexpr std::string_view digits = "0123456789";
constexpr std::string_view name_characters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";

tl::unexpected<Complaint> complain(std::string message, std::string hint) {
  return tl::make_unexpected(Complaint{std::move(message), std::move(hint)});
}

bool is_ip(int family, const std::string& text) {
  std::array<unsigned char, sizeof(in6_addr)> parsed;
  return inet_pton(family, text.c_str(), parsed.data()) == 1;
}

// Names are resolved later; here it only counts that this can be one (RFC 1123, and the underscore
// that container networks allow).
bool is_host_name(std::string_view host) {
  return host.size() <= 253 && host.find_first_not_of(name_characters) == std::string_view::npos &&
         host.front() != '-' && host.front() != '.' && host.find("..") == std::string_view::npos;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  if (text.empty() || text.find_first_not_of(digits) != std::string_view::npos) return std::nullopt;
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{}) return std::nullopt;
  return port;
}

}  // namespace

std::string Address::to_string() const {
  const bool literal6 = host.find(':') != std::string::npos;
  return (literal6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

bool Address::wildcard() const {
  return host == "0.0.0.0" ||
         (host.find(':') != std::string::npos &&
          host.find_first_not_of("0:") == std::string::npos);  // "::", "0::0", ...
}

bool Address::loopback() const {
  return host == "localhost" || host == "::1" || (host.starts_with("127.") && is_ip(AF_INET, host));
}

tl::expected<Address, Complaint> parse_address(std::string_view text) {
  if (text.empty()) return complain("the address is empty", "write host:port");
  if (const auto scheme = text.find("://"); scheme != std::string_view::npos)
    return complain(in_quotes(text) + " is a URL, not an address",
                    "write " + in_quotes(text.substr(scheme + 3)) + ", without the scheme");

  std::string_view host, port;
  if (text.front() == '[') {
    const auto close = text.find("]:");
    if (close == std::string_view::npos)
      return complain(in_quotes(text) + " has no port",
                      "write [host]:port, such as \"[::1]:8080\"");
    host = text.substr(1, close - 1);
    port = text.substr(close + 2);
    if (!is_ip(AF_INET6, std::string{host}))
      return complain(in_quotes(host) + " is not an IPv6 address",
                      "brackets are for IPv6 alone; write names and IPv4 addresses without them");
  } else {
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos)
      return complain(in_quotes(text) + " has no port",
                      "write host:port, such as \"127.0.0.1:8080\"");
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
    if (host.empty())
      return complain(in_quotes(text) + " has no host",
                      "write \"0.0.0.0" + std::string{text} + "\" for every interface");
    if (host.find(':') != std::string_view::npos)
      return complain(in_quotes(text) + " is an IPv6 address without brackets",
                      "write [address]:port, such as \"[::1]:8080\"");
    if (!is_host_name(host))
      return complain(in_quotes(host) + " is neither a host name nor an IP address",
                      "a name has letters, digits, '-' and '.'");
    if (host.find_first_not_of("0123456789.") == std::string_view::npos &&
        !is_ip(AF_INET, std::string{host}))
      return complain(in_quotes(host) + " is not an IPv4 address",
                      "four numbers from 0 to 255 with dots between them");
  }
  const auto number = parse_port(port);
  if (!number)
    return complain(in_quotes(port) + " is not a port",
                    "a port is a number from 1 to 65535, or 0 for any free one");
  std::string lower{host};
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return Address{std::move(lower), *number};
}

}  // namespace troupe::config
