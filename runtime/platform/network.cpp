#include "runtime/platform/network.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace troupe::runtime {
namespace {

Error wrong(std::string_view text, const std::string& what) {
  return invalid_argument("'" + std::string{text} + "' is not an address: " + what +
                          "; write HOST:PORT, as in 127.0.0.1:7000, [::1]:7000 or db.example:7000");
}

bool host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_';
}

bool host_name(std::string_view text) {
  return std::all_of(text.begin(), text.end(), host_character);
}

bool literal(int family, std::string_view text) {
  in6_addr ignored;  // has room for both families
  return ::inet_pton(family, std::string{text}.c_str(), &ignored) == 1;
}

Result<void> check_name(std::string_view text, std::string_view host) {
  if (host.find(':') != std::string_view::npos)
    return wrong(text, "an IPv6 address stands in brackets");
  if (!host_name(host)) return wrong(text, "the host holds a character that no host name has");
  // No name consists of digits and dots alone (RFC 1123, section 2.1).
  if (host.find_first_not_of("0123456789.") == std::string_view::npos && !literal(AF_INET, host))
    return wrong(text, "the host looks like an IPv4 address and is none");
  return {};
}

// A zone may follow: "fe80::1%eth0" (RFC 4007, section 11).
Result<void> check_literal(std::string_view text, std::string_view host) {
  if (host.find(':') == std::string_view::npos)
    return wrong(text, "only an IPv6 address stands in brackets");
  const auto percent = host.find('%');
  const auto zone = percent == std::string_view::npos ? "0" : host.substr(percent + 1);
  if (!literal(AF_INET6, host.substr(0, percent)) || zone.empty() || !host_name(zone))
    return wrong(text, "what stands in brackets is not an IPv6 address");
  return {};
}

Result<std::uint16_t> parse_port(std::string_view text, std::string_view digits) {
  if (digits.empty()) return wrong(text, "the port is missing");
  unsigned port = 0;
  const auto [end, failure] =
      std::from_chars(digits.data(), digits.data() + digits.size(), port, 10);
  if (end != digits.data() + digits.size() || failure == std::errc::invalid_argument)
    return wrong(text, "the port '" + std::string{digits} + "' is not a number");
  if (failure == std::errc::result_out_of_range || port > 65535)
    return wrong(text, "the port " + std::string{digits} + " is greater than 65535");
  return static_cast<std::uint16_t>(port);
}

}  // namespace

std::string Address::to_string() const {
  const bool literal = host.find(':') != std::string::npos;
  return (literal ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<Address> Address::parse(std::string_view text) {
  if (text.empty()) return wrong(text, "it is empty");
  std::string_view host;
  std::string_view rest;
  if (text.front() == '[') {
    const auto end = text.find(']');
    if (end == std::string_view::npos) return wrong(text, "the closing bracket is missing");
    host = text.substr(1, end - 1);
    rest = text.substr(end + 1);
    TROUPE_CHECK(check_literal(text, host));
  } else {
    const auto colon = text.rfind(':');
    host = text.substr(0, colon);
    rest = colon == std::string_view::npos ? std::string_view{} : text.substr(colon);
    if (host.empty()) return wrong(text, "the host is missing (0.0.0.0 or [::] means all of them)");
    TROUPE_CHECK(check_name(text, host));
  }
  if (rest.empty()) return wrong(text, "the port is missing");
  if (rest.front() != ':') return wrong(text, "a colon and the port follow the closing bracket");
  TROUPE_TRY(port, parse_port(text, rest.substr(1)));
  return Address{std::string{host}, port};
}

}  // namespace troupe::runtime
