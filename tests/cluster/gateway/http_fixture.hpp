// A server whose handler keeps the requests, for a test to look at and answer.
#pragma once

#include <doctest/doctest.h>

#include <deque>
#include <memory>
#include <string>

#include "cluster/gateway/http/http_server.hpp"
#include "memory_platform.hpp"
#include "test_response.hpp"

namespace troupe::cluster::tests {

struct HttpFixture {
  explicit HttpFixture(HttpServerOptions options = {}) {
    auto listening = HttpServer::listen(platform, {"127.0.0.1", 0}, std::move(options),
                                        [this](HttpRequest request, Respond respond) {
                                          if (handler) return handler(request, respond);
                                          waiting.push_back({std::move(request), respond});
                                        });
    REQUIRE(listening);
    server = std::move(*listening);
  }

  MemoryClient connect() { return {platform, server->local()}; }

  // Answers the oldest request that waits, or the one at `index`.
  void answer(std::string body, std::size_t index = 0) {
    REQUIRE(index < waiting.size());
    HttpResponse response;
    response.content_type = "text/plain";
    response.body = std::move(body);
    waiting[index].respond(std::move(response));
    waiting.erase(waiting.begin() + static_cast<std::ptrdiff_t>(index));
    platform.network().run();
  }

  // A handler that answers at once with method, target and body.
  void echo() {
    handler = [](const HttpRequest& request, const Respond& respond) {
      HttpResponse response;
      response.content_type = "text/plain";
      response.body = request.method + " " + request.target + " " + request.body;
      respond(std::move(response));
    };
  }

  struct Waiting {
    HttpRequest request;
    Respond respond;
  };

  MemoryPlatform platform;
  std::function<void(const HttpRequest&, const Respond&)> handler;
  std::deque<Waiting> waiting;
  std::unique_ptr<HttpServer> server;
};

inline std::string get(const std::string& target, const std::string& headers = "") {
  return "GET " + target + " HTTP/1.1\r\nHost: a\r\n" + headers + "\r\n";
}

inline std::string post(const std::string& target, const std::string& body,
                        const std::string& headers = "") {
  return "POST " + target +
         " HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         headers + "\r\n" + body;
}

}  // namespace troupe::cluster::tests
