#include "runtime/platform/network.hpp"

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

// A zone ("fe80::1%eth0") may hold any character of an interface's name.
bool literal_character(char c, bool in_zone) {
  if (in_zone) return host_character(c);
  return (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || (c >= '0' && c <= '9') || c == ':' ||
         c == '.';
}

Result<void> check_name(std::string_view text, std::string_view host) {
  if (host.find(':') != std::string_view::npos)
    return wrong(text, "an IPv6 address stands in brackets");
  for (const char c : host)
    if (!host_character(c)) return wrong(text, "the host holds a character that no host name has");
  return {};
}

Result<void> check_literal(std::string_view text, std::string_view host) {
  if (host.find(':') == std::string_view::npos)
    return wrong(text, "only an IPv6 address stands in brackets");
  bool in_zone = false;
  for (const char c : host) {
    if (c == '%' && !in_zone) {
      in_zone = true;
    } else if (!literal_character(c, in_zone)) {
      return wrong(text, "what stands in brackets is not an IPv6 address");
    }
  }
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
