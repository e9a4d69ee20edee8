#include "cluster/gateway/cors.hpp"

#include <algorithm>

namespace troupe::cluster {
namespace {

// What a page may send beside what it always may, and what it may read.
constexpr const char* request_headers =
    "Cache-Control, Content-Type, Idempotency-Key, If-Match, If-None-Match, traceparent";
constexpr const char* answer_headers =
    "Age, Allow, ETag, Idempotency-Replayed, Location, Retry-After, traceparent, "
    "Troupe-Applied-Index, Troupe-Position";

}  // namespace

bool Cors::is_preflight(const HttpRequest& request) {
  return request.method == "OPTIONS" && request.header("Origin") != nullptr &&
         request.header("Access-Control-Request-Method") != nullptr;
}

std::vector<HttpHeader> Cors::headers(const HttpRequest& request, std::string_view allow) const {
  if (settings_.origins.empty()) return {};
  const bool any = settings_.origins.front() == "*";
  std::vector<HttpHeader> headers;
  // A cache may not take the answer to one origin for that to another.
  if (!any) headers.push_back({"Vary", "Origin"});
  const auto* origin = request.header("Origin");
  if (origin == nullptr || request.count("Origin") > 1 ||
      (!any && std::ranges::find(settings_.origins, *origin) == settings_.origins.end()))
    return headers;
  headers.push_back({"Access-Control-Allow-Origin", any ? "*" : *origin});
  if (settings_.credentials) headers.push_back({"Access-Control-Allow-Credentials", "true"});
  if (!is_preflight(request)) {
    headers.push_back({"Access-Control-Expose-Headers", answer_headers});
    return headers;
  }
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(settings_.max_age);
  headers.push_back({"Access-Control-Allow-Methods", std::string{allow}});
  headers.push_back({"Access-Control-Allow-Headers", request_headers});
  headers.push_back({"Access-Control-Max-Age", std::to_string(seconds.count())});
  return headers;
}

}  // namespace troupe::cluster
