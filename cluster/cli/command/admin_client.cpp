#include "cluster/cli/command/admin_client.hpp"

#include <google/protobuf/util/json_util.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <chrono>
#include <optional>
#include <string>

#include "cluster/cli/command/json.hpp"
#include "cluster/cli/command/report.pb.h"

namespace troupe::cluster {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using boost::asio::ip::tcp;
using boost::system::error_code;

// A list of 4,096 shards takes about 2 MiB.
constexpr std::uint64_t body_bytes_max = 64ull << 20;

// One exchange under one deadline. Plain operations of Asio around Beast's parser: its composed
// ones take half a minute to compile.
class Exchange {
 public:
  explicit Exchange(config::Duration timeout)
      : deadline_(std::chrono::steady_clock::now() + timeout) {
    parser_.body_limit(body_bytes_max);
    parser_.eager(true);
  }

  error_code run(const tcp::resolver::results_type& endpoints, const std::string& request) {
    boost::asio::async_connect(socket_, endpoints,
                               [this](error_code error, const auto&) { result_ = error; });
    if (!wait()) return result_;
    connected_ = true;
    boost::asio::async_write(socket_, boost::asio::buffer(request),
                             [this](error_code error, std::size_t) { result_ = error; });
    if (!wait()) return result_;
    while (!parser_.is_done()) {
      std::size_t received = 0;
      socket_.async_read_some(buffer_.prepare(std::size_t{64} << 10),
                              [&](error_code error, std::size_t bytes) {
                                result_ = error;
                                received = bytes;
                              });
      if (!wait() && result_ != boost::asio::error::eof) return result_;
      const bool ended = result_ == boost::asio::error::eof;
      buffer_.commit(received);
      if (ended) {
        if (!parser_.got_some()) return result_;  // it says nothing at all
        parser_.put_eof(result_);
        if (!result_ && !parser_.is_done()) result_ = boost::asio::error::eof;
      } else {
        buffer_.consume(parser_.put(buffer_.data(), result_));
      }
      if (result_ && result_ != http::error::need_more) return result_;
    }
    return {};
  }

  tcp::resolver::results_type resolve(const config::Address& address, error_code& error) {
    return tcp::resolver{context_}.resolve(address.host, std::to_string(address.port), error);
  }

  bool connected() const { return connected_; }
  bool timed_out() const { return timed_out_; }
  const http::response<http::string_body>& response() const { return parser_.get(); }

 private:
  // Until what was started has ended; true: well.
  bool wait() {
    context_.restart();
    context_.run_until(deadline_);
    if (!context_.stopped()) {
      timed_out_ = true;
      result_ = boost::asio::error::timed_out;
    }
    return !result_;
  }

  const std::chrono::steady_clock::time_point deadline_;
  boost::asio::io_context context_;
  tcp::socket socket_{context_};
  beast::flat_buffer buffer_;
  http::response_parser<http::string_body> parser_;
  error_code result_;
  bool connected_ = false;
  bool timed_out_ = false;
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

// What a node says of itself; nullopt: it is no problem document, or one of another kind of page.
std::optional<Error> refusal_of(const std::string& where, const std::string& body) {
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  ProblemDocument said;
  if (!google::protobuf::util::JsonStringToMessage(body, &said, options).ok() ||
      said.reason().empty() || said.reason() == "ROUTE_NOT_FOUND")
    return std::nullopt;
  Code code = Code::unknown;
  for (int one = 0; one <= static_cast<int>(Code::unauthenticated); ++one)
    if (to_string(static_cast<Code>(one)) == said.code()) code = static_cast<Code>(one);
  return Error{code, said.reason(), where + " refuses: " + said.detail()};
}

std::string head_of(const config::Address& address) {
  return " HTTP/1.1\r\nHost: " + address.to_string() +
         "\r\nAccept: application/json\r\nUser-Agent: troupe\r\nConnection: close\r\n";
}

Result<void> exchange_with(const config::Address& address, const std::string& path,
                           const std::string& request, config::Duration timeout,
                           google::protobuf::Message& answer) {
  const std::string where = address.to_string();
  Exchange exchange{timeout};
  error_code error;
  const auto endpoints = exchange.resolve(address, error);
  if (error) return unreachable(where, error);
  error = exchange.run(endpoints, request);
  if (exchange.timed_out())
    return deadline_exceeded("NODE_SILENT", where + " did not answer within " +
                                                config::format_duration(timeout) +
                                                ". Try again with a longer --timeout");
  if (error && !exchange.connected()) return unreachable(where, error);
  if (error) return not_a_node(where, "does not speak HTTP (" + error.message() + ")");

  const auto& response = exchange.response();
  const auto status = response.result_int();
  if (status != 200)
    if (auto refusal = refusal_of(where, response.body())) return *std::move(refusal);
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

}  // namespace

config::Address reachable(const config::Address& address) {
  if (!address.wildcard()) return address;
  const bool version6 = address.host.find(':') != std::string::npos;
  return {version6 ? "::1" : "127.0.0.1", address.port};
}

Result<void> ask_node(const config::Address& address, const std::string& path,
                      config::Duration timeout, google::protobuf::Message& answer) {
  return exchange_with(address, path, "GET " + path + head_of(address) + "\r\n", timeout, answer);
}

Result<void> order_node(const config::Address& address, const std::string& path,
                        const google::protobuf::Message& body, config::Duration timeout,
                        google::protobuf::Message& answer) {
  const std::string json = to_json(body);
  return exchange_with(address, path,
                       "POST " + path + head_of(address) +
                           "Content-Type: application/json\r\nContent-Length: " +
                           std::to_string(json.size()) + "\r\n\r\n" + json,
                       timeout, answer);
}

}  // namespace troupe::cluster
