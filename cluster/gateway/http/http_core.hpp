// What a server shares with its connections, which may outlive it by a moment.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "cluster/gateway/http/http_server.hpp"
#include "cluster/gateway/http/overdue.hpp"
#include "cluster/gateway/http/refusal_pace.hpp"
#include "runtime/gate.hpp"
#include "runtime/seldom.hpp"

namespace troupe::cluster {

struct HttpServer::Core : std::enable_shared_from_this<HttpServer::Core> {
  Core(runtime::Platform& the_platform, HttpServerOptions the_options, HttpHandler the_handler)
      : platform{the_platform},
        options{std::move(the_options)},
        handler{std::move(the_handler)},
        pace{options.limits.refusals_max},
        overdue{the_platform} {}

  runtime::Platform& platform;
  const HttpServerOptions options;
  const HttpHandler handler;
  RefusalPace pace;
  OverdueLog overdue;
  std::atomic<std::size_t> large_bodies_bytes{0};  // HttpLimits::large_bodies_bytes_max
  runtime::Gate gate;                              // around what the server's owner gave it to call

  std::shared_ptr<runtime::StreamHandler> accept(std::shared_ptr<runtime::Stream> stream);
  void remove(std::uint64_t id);
  void stop(Duration deadline, std::function<void()> done);
  void abort();

 private:
  std::vector<std::shared_ptr<HttpConnection>> connections();
  void announce_locked();
  void say_scarce(const runtime::Address& remote);

  std::mutex mutex_;
  std::map<std::uint64_t, std::weak_ptr<HttpConnection>> open_;
  std::uint64_t next_id_ = 0;
  bool stopping_ = false;
  runtime::Seldom scarce_{std::chrono::seconds{10}};
  std::function<void()> done_;
};

}  // namespace troupe::cluster
