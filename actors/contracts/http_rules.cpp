#include "actors/contracts/http_rules.hpp"

#include <google/protobuf/descriptor.h>

#include "google/api/annotations.pb.h"

namespace troupe::actors {
namespace {

using google::api::HttpRule;

Error mistake(std::string message) {
  return invalid_argument("HTTP_RULE_INVALID", std::move(message));
}

Result<HttpBinding> binding(const HttpRule& rule) {
  HttpBinding result;
  const std::string* path = nullptr;
  switch (rule.pattern_case()) {
    case HttpRule::kGet:
      result.verb = "GET";
      path = &rule.get();
      break;
    case HttpRule::kPut:
      result.verb = "PUT";
      path = &rule.put();
      break;
    case HttpRule::kPost:
      result.verb = "POST";
      path = &rule.post();
      break;
    case HttpRule::kDelete:
      result.verb = "DELETE";
      path = &rule.delete_();
      break;
    case HttpRule::kPatch:
      result.verb = "PATCH";
      path = &rule.patch();
      break;
    case HttpRule::kCustom:
      return mistake("custom HTTP methods are not served; write get, put, post, delete or patch");
    case HttpRule::PATTERN_NOT_SET:
      return mistake("the rule has no path; write get, put, post, delete or patch with one");
  }
  if (!rule.selector().empty())
    return mistake("a rule on an rpc selects that rpc; remove the selector");
  TROUPE_TRY(parsed, HttpTemplate::parse(*path));
  result.path = std::move(parsed);
  result.body = rule.body();
  result.response_body = rule.response_body();
  if (!result.body.empty() && (result.verb == "GET" || result.verb == "DELETE"))
    return mistake(result.text() + " has a body, which " + result.verb +
                   " cannot have; remove it, so that the fields come from path and query");
  return result;
}

}  // namespace

Result<std::vector<HttpBinding>> http_bindings(const google::protobuf::MethodDescriptor& method) {
  std::vector<HttpBinding> bindings;
  if (!method.options().HasExtension(google::api::http)) return bindings;
  const auto& rule = method.options().GetExtension(google::api::http);
  TROUPE_TRY(first, binding(rule));
  bindings.push_back(std::move(first));
  for (const auto& additional : rule.additional_bindings()) {
    if (additional.additional_bindings_size() > 0)
      return mistake("additional_bindings cannot hold additional_bindings; list them side by side");
    TROUPE_TRY(next, binding(additional));
    bindings.push_back(std::move(next));
  }
  return bindings;
}

}  // namespace troupe::actors
