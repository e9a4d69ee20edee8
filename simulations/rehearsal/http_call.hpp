// Calls as HTTP requests and answers as replies: what cluster/gateway/transcoder does, the other
// way round, as a client would that was generated from the contract.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "actors/client.hpp"
#include "runtime/result.hpp"

namespace troupe::simulations {

struct HttpCall {
  std::string verb;
  std::string target;
  std::string body;  // JSON; empty: none
};

// By the first binding of the method's google.api.http rule. A method without one is a mistake of
// the scenario and aborts.
HttpCall http_call(const actors::CallBase& call);

// The serialised reply message (deterministically) that a 200's body stands for. INTERNAL /
// REPLY_MALFORMED if it does not parse.
Result<std::string> http_reply(const actors::CallBase& call, const std::string& body);

// The error that a problem document stands for. INTERNAL / REPLY_MALFORMED if it is none.
Error http_error(const std::string& body);

// One HTTP/1.1 response as the node's server writes it: with Content-Length.
struct HttpResponseText {
  unsigned status = 0;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;

  const std::string* header(std::string_view name) const;
};

// Takes one response from the front of `received` once it is complete. INTERNAL / REPLY_MALFORMED
// if it is not one.
Result<bool> take_response(std::string& received, HttpResponseText& response);

}  // namespace troupe::simulations
