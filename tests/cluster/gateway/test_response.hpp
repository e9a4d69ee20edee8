// What a client received, taken apart.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cluster/gateway/http/http_message.hpp"

namespace troupe::cluster::tests {

struct Received {
  unsigned status = 0;
  std::vector<HttpHeader> headers;
  std::string body;

  // "" if there is none.
  std::string header(std::string_view name) const;
};

// Every response in the bytes. `heads`: they answer HEAD requests, so no body follows. A byte too
// many or too few fails the test.
std::vector<Received> responses(std::string_view bytes, bool heads = false);

// Exactly one.
Received response(std::string_view bytes, bool head = false);

}  // namespace troupe::cluster::tests
