// A node's admin address as far as the command line sees it: an HTTP server on loopback that gives
// prepared answers: under a path, and to "POST path".
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/version.hpp>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace troupe::cluster {

class FakeAdmin {
 public:
  struct Answer {
    unsigned status = 200;
    std::string body;
  };
  enum class Manner { http, garbage, silent };

  explicit FakeAdmin(std::map<std::string, Answer> answers, Manner manner = Manner::http)
      : answers_(std::move(answers)),
        manner_(manner),
        acceptor_(context_, {boost::asio::ip::address_v4::loopback(), 0}),
        port_(acceptor_.local_endpoint().port()),
        thread_([this] { serve(); }) {}

  ~FakeAdmin() {
    hang_up();
    thread_.join();
  }
  FakeAdmin(const FakeAdmin&) = delete;
  FakeAdmin& operator=(const FakeAdmin&) = delete;

  // The end of the server, and of connections that it keeps silent about.
  void hang_up() const {
    if (stopping_.exchange(true)) return;
    // Wakes accept() up.
    boost::asio::io_context context;
    boost::asio::ip::tcp::socket wake{context};
    boost::system::error_code ignored;
    wake.connect({boost::asio::ip::address_v4::loopback(), port_}, ignored);
  }

  std::uint16_t port() const { return port_; }
  std::string address() const { return "127.0.0.1:" + std::to_string(port()); }

  // What is answered under the path the next time, and the time after that; the last for ever.
  void then(const std::string& path, Answer answer) {
    const std::lock_guard lock{mutex_};
    later_[path].push_back(std::move(answer));
  }

  std::vector<std::string> asked() const {
    const std::lock_guard lock{mutex_};
    return asked_;
  }
  std::vector<std::string> posted() const {
    const std::lock_guard lock{mutex_};
    return posted_;
  }

 private:
  void serve() {
    std::vector<boost::asio::ip::tcp::socket> held;  // silent ones stay open until the end
    while (!stopping_) {
      boost::asio::ip::tcp::socket socket{context_};
      boost::system::error_code error;
      acceptor_.accept(socket, error);
      if (error || stopping_) break;
      if (manner_ == Manner::silent)
        held.push_back(std::move(socket));
      else
        answer(socket);
    }
    acceptor_.close();  // who was not accepted yet hears of it
  }

  void answer(boost::asio::ip::tcp::socket& socket) {
    namespace http = boost::beast::http;
    boost::beast::flat_buffer buffer;
    boost::system::error_code error;
    http::request<http::string_body> request;
    http::read(socket, buffer, request, error);
    if (error) return;
    const bool post = request.method() == http::verb::post;
    const std::string path = (post ? "POST " : "") + std::string{request.target()};
    {
      const std::lock_guard lock{mutex_};
      asked_.push_back(path);
      if (post) posted_.push_back(request.body());
    }
    if (manner_ == Manner::garbage) {
      boost::asio::write(socket, boost::asio::buffer(std::string{"SSH-2.0-whatever\r\n\r\n"}),
                         error);
      return;
    }
    const auto found = answers_.find(path);
    const Answer answer = found == answers_.end() ? Answer{404, "no such path"} : found->second;
    {
      const std::lock_guard lock{mutex_};
      if (auto& later = later_[path]; !later.empty()) {
        found->second = std::move(later.front());
        later.pop_front();
      }
    }
    http::response<http::string_body> response{static_cast<http::status>(answer.status), 11,
                                               answer.body};
    response.set(http::field::content_type, "application/json");
    response.keep_alive(false);
    response.prepare_payload();
    http::write(socket, response, error);
  }

  std::map<std::string, Answer> answers_;
  Manner manner_;
  boost::asio::io_context context_;
  boost::asio::ip::tcp::acceptor acceptor_;
  const std::uint16_t port_;
  mutable std::atomic<bool> stopping_ = false;
  mutable std::mutex mutex_;
  std::vector<std::string> asked_;
  std::vector<std::string> posted_;
  std::map<std::string, std::deque<Answer>> later_;
  std::thread thread_;  // last: it uses everything above
};

}  // namespace troupe::cluster
