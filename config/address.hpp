// Where a node listens, as a manifest writes it: "host:port".
//
// Pure text handling, nothing is resolved or opened: the platform does that when the node starts.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "config/problem.hpp"

namespace troupe::config {

struct Address {
  std::string host;        // a name, an IPv4 or an IPv6 literal; the latter without its brackets
  std::uint16_t port = 0;  // 0: the system picks a free one when the node starts

  // "127.0.0.1:7400", "[::1]:7400"
  std::string to_string() const;

  bool wildcard() const;  // every interface of the machine: 0.0.0.0 or [::]
  bool loopback() const;  // this machine only: localhost, 127.0.0.0/8 or [::1]

  friend bool operator==(const Address&, const Address&) = default;
};

// Accepts "host:port" and "[IPv6]:port". The host is checked for form only.
tl::expected<Address, Complaint> parse_address(std::string_view text);

}  // namespace troupe::config
