#include "cluster/gateway/http/http_telemetry.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <mutex>
#include <tuple>

namespace troupe::cluster {
namespace {

std::string_view bounded(std::string_view method) {
  static constexpr std::array<std::string_view, 7> usual{"DELETE", "GET",  "HEAD", "OPTIONS",
                                                         "PATCH",  "POST", "PUT"};
  return std::ranges::find(usual, method) == usual.end() ? "other" : method;
}

// Finding a metric by its labels builds a map of strings; here it is found once for each.
class RequestMetrics {
 public:
  explicit RequestMetrics(runtime::Metrics& metrics) : metrics_{metrics} {}

  void observe(const HttpExchange& exchange) {
    const auto method = bounded(exchange.method);
    const auto& entry = find({method, exchange.route, exchange.status});
    entry.requests->add();
    entry.seconds->observe(std::chrono::duration<double>(exchange.took).count());
  }

 private:
  using Name = std::tuple<std::string, std::string, unsigned>;
  using View = std::tuple<std::string_view, std::string_view, unsigned>;
  struct Less {
    using is_transparent = void;
    bool operator()(const View& a, const View& b) const { return a < b; }
  };
  struct Entry {
    runtime::Counter* requests = nullptr;
    runtime::Histogram* seconds = nullptr;
  };

  const Entry& find(const View& view) {
    const std::lock_guard lock{mutex_};
    const auto found = entries_.find(view);
    if (found != entries_.end()) return found->second;
    const auto& [method, route, status] = view;
    const runtime::Metrics::Labels timed{{"method", std::string{method}},
                                         {"route", std::string{route}}};
    auto counted = timed;
    counted.emplace("status", std::to_string(status));
    Entry entry;
    entry.requests =
        &metrics_.counter("troupe_http_requests_total", "HTTP requests answered.", counted);
    entry.seconds = &metrics_.histogram(
        "troupe_http_request_seconds", "From a request's last byte to its answer.", timed,
        {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10});
    return entries_.emplace(Name{method, route, status}, entry).first->second;
  }

  runtime::Metrics& metrics_;
  std::mutex mutex_;
  std::map<Name, Entry, Less> entries_;
};

void write_access_log(runtime::Logger& log, const HttpExchange& exchange) {
  // The path without the query, which holds fields of the request.
  const auto path = exchange.target.substr(0, exchange.target.find('?'));
  const auto microseconds =
      std::chrono::duration_cast<std::chrono::microseconds>(exchange.took).count();
  log.write(runtime::LogLevel::debug, "http.request", "a request was answered",
            {{"method", exchange.method},
             {"path", path},
             {"route", exchange.route},
             {"status", exchange.status},
             {"took_us", microseconds},
             {"request_bytes", exchange.request_bytes},
             {"response_bytes", exchange.response_bytes},
             {"client_gone", exchange.client_gone},
             {"remote", exchange.remote->to_string()}},
            std::string{exchange.trace});
}

}  // namespace

HttpServerOptions observed(runtime::Platform& platform, const std::string& server,
                           const HttpLimits& limits) {
  HttpServerOptions options;
  options.limits = limits;
  options.observe = [metrics = std::make_shared<RequestMetrics>(platform.metrics()),
                     &log = platform.log()](const HttpExchange& exchange) {
    metrics->observe(exchange);
    if (log.enabled(runtime::LogLevel::debug)) write_access_log(log, exchange);
  };
  auto& connections = platform.metrics().gauge("troupe_http_connections", "Open HTTP connections.",
                                               {{"server", server}});
  options.connections_changed = [&connections](std::size_t open) {
    connections.set(static_cast<double>(open));
  };
  return options;
}

}  // namespace troupe::cluster
