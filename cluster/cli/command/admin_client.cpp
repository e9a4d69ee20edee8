#include "cluster/cli/command/admin_client.hpp"

#include <google/protobuf/util/json_util.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/version.hpp>

namespace troupe::cluster {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using boost::asio::ip::tcp;
using boost::system::error_code;

// A list of 4,096 shards takes about 2 MiB.
constexpr std::uint64_t body_bytes_max = 64ull << 20;

// One exchange under one deadline. Beast's deadlines hold for asynchronous operations only, so
// each one is started and then waited for.
class Exchange {
 public:
  explicit Exchange(config::Duration timeout) : stream_(context_) {
    stream_.expires_after(timeout);
  }

  error_code run(const tcp::resolver::results_type& endpoints,
                 const http::request<http::empty_body>& request) {
    error_code result;
    stream_.async_connect(endpoints, [&](error_code error, const auto&) { result = error; });
    wait();
    if (result) return result;
    http::async_write(stream_, request, [&](error_code error, std::size_t) { result = error; });
    wait();
    if (result) return result;
    connected_ = true;
    parser_.body_limit(body_bytes_max);
    http::async_read(stream_, buffer_, parser_,
                     [&](error_code error, std::size_t) { result = error; });
    wait();
    return result;
  }

  tcp::resolver::results_type resolve(const config::Address& address, error_code& error) {
    return tcp::resolver{context_}.resolve(address.host, std::to_string(address.port), error);
  }

  bool connected() const { return connected_; }
  const http::response<http::string_body>& response() const { return parser_.get(); }

 private:
  void wait() {
    context_.restart();
    context_.run();
  }

  boost::asio::io_context context_;
  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  http::response_parser<http::string_body> parser_;
  bool connected_ = false;
};

Error unreachable(const std::string& where, const error_code& error) {
  if (error == boost::asio::error::connection_refused)
    return unavailable("NODE_UNREACHABLE",
                       "nothing listens on " + where +
                           ". Start a node with 'troupe up FILE', or say where it is with --admin "
                           "ADDR, --manifest FILE or the environment variable TROUPE_ADMIN");
  return unavailable("NODE_UNREACHABLE", where + " cannot be reached: " + error.message() +
                                             ". Check the address and the network");
}

Error not_a_node(const std::string& where, const std::string& what) {
  return failed_precondition("NOT_A_NODE",
                             where + " " + what +
                                 ". Is it the admin address of a node of this version? "
                                 "The manifest's key 'admin' says which it is");
}

}  // namespace

config::Address reachable(const config::Address& address) {
  if (!address.wildcard()) return address;
  const bool version6 = address.host.find(':') != std::string::npos;
  return {version6 ? "::1" : "127.0.0.1", address.port};
}

Result<void> ask_node(const config::Address& address, const std::string& path,
                      config::Duration timeout, google::protobuf::Message& answer) {
  const std::string where = address.to_string();
  http::request<http::empty_body> request{http::verb::get, path, 11};
  request.set(http::field::host, where);
  request.set(http::field::accept, "application/json");
  request.set(http::field::user_agent, "troupe");
  request.keep_alive(false);

  Exchange exchange{timeout};
  error_code error;
  const auto endpoints = exchange.resolve(address, error);
  if (error) return unreachable(where, error);
  error = exchange.run(endpoints, request);
  if (error == beast::error::timeout)
    return deadline_exceeded("NODE_SILENT", where + " did not answer within " +
                                                config::format_duration(timeout) +
                                                ". Try again with a longer --timeout");
  if (error && !exchange.connected()) return unreachable(where, error);
  if (error) return not_a_node(where, "does not speak HTTP (" + error.message() + ")");

  const auto& response = exchange.response();
  const auto status = response.result_int();
  if (status == 404) return not_a_node(where, "knows no " + path);
  if (status != 200)
    return Error{
        Code::unknown, "NODE_REFUSED",
        where + " answered " + std::to_string(status) + ": " + response.body().substr(0, 500)};
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  const auto parsed =
      google::protobuf::util::JsonStringToMessage(response.body(), &answer, options);
  if (!parsed.ok())
    return not_a_node(
        where, "answered with something else (" + std::string{parsed.message().as_string()} + ")");
  return {};
}

}  // namespace troupe::cluster
