// A response as bytes: one string, built once.
#pragma once

#include <string>
#include <string_view>

#include "cluster/gateway/http/http_message.hpp"

namespace troupe::cluster {

struct HttpFraming {
  bool head = false;        // answers a HEAD request: the headers of the body, without the body
  bool close = false;       // "Connection: close"
  bool keep_alive = false;  // "Connection: keep-alive", which HTTP/1.0 needs to be told
};

std::string serialize(const HttpResponse& response, const HttpFraming& framing,
                      std::string_view date);

}  // namespace troupe::cluster
