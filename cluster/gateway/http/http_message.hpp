// One HTTP request as a handler sees it, and the answer it gives. Plain data.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/platform/network.hpp"

namespace troupe::cluster {

struct HttpHeader {
  std::string name;  // as it was sent; compared without regard to case
  std::string value;
};

struct HttpRequest {
  std::string method;  // "GET"; methods are case-sensitive
  std::string target;  // as it was sent: "/v1/accounts/a%20b?from=3"
  std::string path;    // the target's path, still percent-encoded: "/v1/accounts/a%20b"
  std::vector<std::pair<std::string, std::string>> query;  // decoded, in order
  std::vector<HttpHeader> headers;
  std::string body;
  unsigned version = 11;   // 10 or 11
  bool keep_alive = true;  // the client will send another request
  runtime::Address remote;

  // The first header of that name, or null.
  const std::string* header(std::string_view name) const;
  std::size_t count(std::string_view name) const;
};

struct HttpResponse {
  unsigned status = 200;
  std::string content_type;         // empty: no such header
  std::vector<HttpHeader> headers;  // beside Date, Content-Type, Content-Length and Connection
  std::string body;
  bool close = false;  // the connection ends with this answer

  // For metrics and the access log; not sent.
  std::string route;  // which of a bounded set of routes answered; empty: none did
  std::string trace;  // W3C trace id, empty: none
};

// ASCII only, as header names and tokens are.
bool equal_ignoring_case(std::string_view a, std::string_view b);
// Without spaces and tabs at both ends.
std::string_view trimmed(std::string_view text);
// "application/json; charset=utf-8" and the like.
bool is_json(const HttpRequest& request);
// Whether Accept lets an answer be JSON (RFC 9110, section 12.5.1). What cannot be read does.
bool accepts_json(const HttpRequest& request);

}  // namespace troupe::cluster
