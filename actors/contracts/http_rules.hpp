// The google.api.http option of an rpc as a list of bindings: read by the contract compiler to
// check them, by the gateway to serve them.
#pragma once

#include <string>
#include <vector>

#include "actors/contracts/http_template.hpp"
#include "runtime/result.hpp"

namespace google::protobuf {
class MethodDescriptor;
}

namespace troupe::actors {

// One way to reach a method by HTTP. A request's fields come from the path's variables, from the
// body and, unless the body is "*", all others from the query.
struct HttpBinding {
  std::string verb;  // "GET", "PUT", "POST", "DELETE" or "PATCH"
  HttpTemplate path;
  std::string body;           // "*": the whole request; a field's name: that field; empty: no body
  std::string response_body;  // a field's name: that field alone is sent; empty: the response

  // "POST /v1/accounts/{account}:deposit", for messages.
  std::string text() const { return verb + " " + path.text(); }

  // Some request is meant by both.
  bool clashes(const HttpBinding& other) const {
    return verb == other.verb && path.clashes(other.path);
  }
};

// The rule of a method, then its additional_bindings; empty if it has no rule. INVALID_ARGUMENT /
// HTTP_RULE_INVALID or HTTP_TEMPLATE_INVALID if a rule cannot be read. A contract that
// protoc-gen-troupe accepted gives no error.
Result<std::vector<HttpBinding>> http_bindings(const google::protobuf::MethodDescriptor& method);

}  // namespace troupe::actors
