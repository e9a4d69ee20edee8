// Bytes to requests: Boost.Beast's HTTP/1.1 parser, used without a socket, and what Beast leaves to
// its users: limits that do not depend on how the bytes were cut, one Host header, a known
// Transfer-Encoding, a usable target, and for each mistake the status that RFC 9110 gives it.
//
// One per connection; not for several threads at once.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

#include "cluster/gateway/http/http_message.hpp"
#include "cluster/gateway/http/http_options.hpp"
#include "runtime/error.hpp"

namespace troupe::cluster {

class HttpParser {
 public:
  explicit HttpParser(const HttpLimits& limits);
  ~HttpParser();
  HttpParser(const HttpParser&) = delete;
  HttpParser& operator=(const HttpParser&) = delete;

  // A request that cannot be taken. Nothing after it on the connection can be understood.
  struct Refusal {
    unsigned status = 400;
    Error error;
  };

  enum class State {
    more,     // the request is not complete
    ready,    // take() it; then parse() begins the next one
    refused,  // refusal() says why
  };

  // Takes bytes from the front of `input` and says how many. What it left is given again, with more
  // behind it.
  State parse(std::string_view input, std::size_t& taken);

  // Some bytes of a request have been taken and it is not complete.
  bool begun() const;

  // Its headers are complete.
  bool in_body() const;

  // Of the body, that have been taken.
  std::size_t body_bytes() const;

  // The request waits for "100 Continue" before it sends its body. True once for each.
  bool wants_continue();

  HttpRequest take();
  const Refusal& refusal() const { return *refusal_; }

 private:
  class Impl;

  const HttpLimits limits_;
  std::unique_ptr<Impl> impl_;  // null between requests
  std::optional<Refusal> refusal_;
};

}  // namespace troupe::cluster
