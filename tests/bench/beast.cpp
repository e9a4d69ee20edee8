#include "tests/bench/beast.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <thread>

namespace troupe::bench {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;

asio::awaitable<void> serve(tcp::socket socket) {
  boost::beast::flat_buffer buffer;
  boost::system::error_code error;
  for (;;) {
    http::request<http::string_body> request;
    co_await http::async_read(socket, buffer, request,
                              asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return;
    http::response<http::string_body> response{http::status::ok, request.version()};
    response.set(http::field::content_type, "application/json");
    response.keep_alive(request.keep_alive());
    response.body() = std::string(200, 'x');
    response.prepare_payload();
    co_await http::async_write(socket, response, asio::redirect_error(asio::use_awaitable, error));
    if (error || !request.keep_alive()) co_return;
  }
}

asio::awaitable<void> accept(tcp::acceptor acceptor) {
  for (;;) {
    auto socket = co_await acceptor.async_accept(asio::use_awaitable);
    socket.set_option(tcp::no_delay{true});
    const auto executor = socket.get_executor();
    asio::co_spawn(executor, serve(std::move(socket)), asio::detached);
  }
}

}  // namespace

BeastServer::BeastServer(const Options& options) : port_(free_port()) {
  server_ = std::make_unique<Server>(
      std::vector<std::string>{options.self, "--serve", "beast", std::to_string(port_)},
      options.scratch + "/beast.log");
  server_->wait_port(port_);
}

// Two threads, as a node has.
int serve_beast(unsigned short port) {
  asio::io_context context{2};
  tcp::acceptor acceptor{context, {asio::ip::make_address("127.0.0.1"), port}};
  asio::co_spawn(context, accept(std::move(acceptor)), asio::detached);
  std::thread other{[&context] { context.run(); }};
  context.run();
  other.join();
  return 0;
}

}  // namespace troupe::bench
