// Between the system's network types and Troupe's.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <string>

#include "runtime/platform/network.hpp"

namespace troupe::runtime {

// An IPv4 peer of an IPv6 socket is written as IPv4.
Address to_address(const boost::asio::ip::tcp::endpoint& endpoint);

// The endpoint of an IP literal, or nothing for a name.
std::optional<boost::asio::ip::tcp::endpoint> to_endpoint(const Address& address);

// UNAVAILABLE / ADDRESS_IN_USE, PERMISSION_DENIED, INVALID_ARGUMENT for an address that this
// machine does not have, else UNAVAILABLE / NETWORK_IO.
Error listen_error(const boost::system::error_code& error, const Address& address);

// UNAVAILABLE with reason CONNECTION_REFUSED or NETWORK_IO.
Error connect_error(const boost::system::error_code& error, const Address& address);

// "the name NAME has no address"; the caller knows whether to try again.
std::string unresolved(const boost::system::error_code& error, const Address& address);

// UNAVAILABLE with reason CONNECTION_LOST.
Error stream_error(const boost::system::error_code& error, const Address& remote);

}  // namespace troupe::runtime
