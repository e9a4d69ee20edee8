// HTTP requests to Protobuf messages and replies back, by one binding of a google.api.http rule.
//
// A field has one place: the path, the body or the query. What is sent in another place, or twice,
// or names no field, is an error rather than ignored.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "actors/contracts/http_rules.hpp"
#include "cluster/gateway/fields.hpp"
#include "cluster/gateway/http/http_message.hpp"
#include "runtime/result.hpp"

namespace google::protobuf {
class MethodDescriptor;
}

namespace troupe::cluster {

// Field path and decoded value, as HttpTemplate::match() gives them.
using PathVariables = std::vector<std::pair<std::string, std::string>>;

// Immutable; any thread.
class Transcoder {
 public:
  // HTTP_RULE_INVALID if the binding does not fit the method's messages.
  static Result<Transcoder> make(const actors::HttpBinding& binding,
                                 const google::protobuf::MethodDescriptor& method);

  // The serialised request message, the same bytes for the same request. INVALID_ARGUMENT with
  // reason JSON_INVALID, FIELD_UNKNOWN, FIELD_INVALID, FIELD_REPEATED, FIELD_MISPLACED,
  // BODY_UNEXPECTED or QUERY_UNEXPECTED.
  Result<std::string> request(const HttpRequest& http, const PathVariables& variables) const;

  // The body of the answer. INTERNAL / REPLY_MALFORMED.
  Result<std::string> reply(const std::string& payload) const;

 private:
  enum class Body { none, field, all };

  Result<void> read_body(const HttpRequest& http, google::protobuf::Message& message) const;
  Result<void> read_path(const PathVariables& variables, google::protobuf::Message& message) const;
  Result<void> read_query(const HttpRequest& http, google::protobuf::Message& message) const;

  const google::protobuf::Message* request_ = nullptr;  // prototypes
  const google::protobuf::Message* reply_ = nullptr;
  Body body_ = Body::none;
  const google::protobuf::FieldDescriptor* body_field_ = nullptr;
  const google::protobuf::FieldDescriptor* reply_field_ = nullptr;
  std::vector<FieldPath> variables_;  // in the order of the template's variables
};

}  // namespace troupe::cluster
