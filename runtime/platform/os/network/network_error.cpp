#include "runtime/platform/os/network/network_error.hpp"

#include <boost/asio/error.hpp>

namespace troupe::runtime {
namespace {

namespace asio = boost::asio;

}  // namespace

Address to_address(const asio::ip::tcp::endpoint& endpoint) {
  auto address = endpoint.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped())
    address = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
  return {address.to_string(), endpoint.port()};
}

std::optional<asio::ip::tcp::endpoint> to_endpoint(const Address& address) {
  boost::system::error_code error;
  const auto literal = asio::ip::make_address(address.host, error);
  if (error) return std::nullopt;
  return asio::ip::tcp::endpoint{literal, address.port};
}

Error listen_error(const boost::system::error_code& error, const Address& address) {
  const auto what = "cannot listen on " + address.to_string() + ": ";
  if (error == asio::error::address_in_use)
    return unavailable("ADDRESS_IN_USE",
                       what + "another process does; stop it or choose another port");
  if (error == asio::error::access_denied)
    return permission_denied(what + "this process may not use that port; choose one above 1023");
  if (error == boost::system::errc::address_not_available)
    return invalid_argument(what +
                            "this machine has no such address; 0.0.0.0 or [::] means all it has");
  return unavailable("NETWORK_IO", what + error.message());
}

Error connect_error(const boost::system::error_code& error, const Address& address) {
  const auto what = "cannot connect to " + address.to_string() + ": ";
  if (error == asio::error::connection_refused)
    return unavailable("CONNECTION_REFUSED", what + "nobody listens there");
  return unavailable("NETWORK_IO", what + error.message());
}

std::string unresolved(const boost::system::error_code& error, const Address& address) {
  return "the name " + address.host + " has no address: " + error.message();
}

Error stream_error(const boost::system::error_code& error, const Address& remote) {
  return unavailable("CONNECTION_LOST",
                     "the connection with " + remote.to_string() + " was lost: " + error.message());
}

}  // namespace troupe::runtime
