// Cross-origin requests of browsers (CORS): what the Fetch standard, section 3.2
// (https://fetch.spec.whatwg.org/#http-cors-protocol), wants to hear before a page of another
// origin may call and read.
//
// A preflight, the question before a request that is not simple, is answered here. To every other
// answer headers are added; nothing is refused: whether a page may see an answer is the browser's
// business, and a client that is no browser sends no Origin.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cluster/gateway/http/http_message.hpp"
#include "config/manifest.hpp"

namespace troupe::cluster {

// Immutable; any thread.
class Cors {
 public:
  explicit Cors(config::Cors settings) : settings_{std::move(settings)} {}

  // Asks whether a request with another method or other headers may come.
  static bool is_preflight(const HttpRequest& request);

  // Headers for the answer to `request`; for a preflight, `allow` says which methods there are.
  std::vector<HttpHeader> headers(const HttpRequest& request, std::string_view allow = {}) const;

 private:
  const config::Cors settings_;
};

}  // namespace troupe::cluster
