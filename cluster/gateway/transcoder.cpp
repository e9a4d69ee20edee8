#include "cluster/gateway/transcoder.hpp"

#include <google/protobuf/message.h>

#include <algorithm>
#include <memory>

#include "cluster/gateway/json.hpp"

namespace troupe::cluster {
namespace {

namespace pb = google::protobuf;

Error misfit(const actors::HttpBinding& binding, const std::string& what) {
  return invalid_argument("HTTP_RULE_INVALID", binding.text() + ": " + what);
}

bool is_one_message(const pb::FieldDescriptor* field) {
  return field != nullptr && !field->is_repeated() &&
         field->cpp_type() == pb::FieldDescriptor::CPPTYPE_MESSAGE;
}

}  // namespace

Result<Transcoder> Transcoder::make(const actors::HttpBinding& binding,
                                    const pb::MethodDescriptor& method) {
  Transcoder result;
  const auto& request = *method.input_type();
  const auto& reply = *method.output_type();
  auto& factory = *pb::MessageFactory::generated_factory();
  result.request_ = factory.GetPrototype(&request);
  result.reply_ = factory.GetPrototype(&reply);
  if (result.request_ == nullptr || result.reply_ == nullptr)
    return misfit(binding, "the messages of " + method.full_name() + " are not compiled in");

  if (binding.body == "*") {
    result.body_ = Body::all;
  } else if (!binding.body.empty()) {
    result.body_ = Body::field;
    result.body_field_ = request.FindFieldByName(binding.body);
    if (!is_one_message(result.body_field_))
      return misfit(binding, "body: \"" + binding.body + "\" is not a message field of " +
                                 request.full_name());
  }
  if (!binding.response_body.empty()) {
    result.reply_field_ = reply.FindFieldByName(binding.response_body);
    if (result.reply_field_ == nullptr)
      return misfit(binding, "response_body: \"" + binding.response_body + "\" is not a field of " +
                                 reply.full_name());
  }
  for (const auto& variable : binding.path.variables()) {
    auto path = FieldPath::resolve(request, variable);
    if (!path) return misfit(binding, path.error().message);
    if (path->repeated())
      return misfit(binding, "the variable {" + variable + "} is a repeated field");
    if (result.body_field_ != nullptr && path->begins_with(*result.body_field_))
      return misfit(binding, "the variable {" + variable + "} lies in the body");
    result.variables_.push_back(std::move(*path));
  }
  return result;
}

Result<std::string> Transcoder::request(const HttpRequest& http,
                                        const PathVariables& variables) const {
  const std::unique_ptr<pb::Message> message{request_->New()};
  TROUPE_CHECK(read_body(http, *message));
  TROUPE_CHECK(read_path(variables, *message));
  TROUPE_CHECK(read_query(http, *message));
  return serialize_deterministically(*message);
}

Result<void> Transcoder::read_body(const HttpRequest& http, pb::Message& message) const {
  if (http.body.empty()) return {};
  switch (body_) {
    case Body::none:
      return invalid_argument("BODY_UNEXPECTED",
                              "this request takes no body; its fields come from path and query");
    case Body::field:
      return json_to_message(http.body,
                             *message.GetReflection()->MutableMessage(&message, body_field_),
                             body_field_->name() + '.');
    case Body::all:
      break;
  }
  return json_to_message(http.body, message);
}

Result<void> Transcoder::read_path(const PathVariables& variables, pb::Message& message) const {
  for (std::size_t i = 0; i < variables_.size(); ++i) {
    const auto& path = variables_[i];
    const auto& value = variables[i].second;
    // A client may send the whole of a thing whose name is in the path.
    if (path.taken(message) && !path.holds(message, value))
      return invalid_argument("FIELD_MISPLACED", "\"" + path.text() +
                                                     "\" comes from the path; the body says "
                                                     "something else: leave it out there");
    TROUPE_CHECK(path.set(message, value));
  }
  return {};
}

Result<void> Transcoder::read_query(const HttpRequest& http, pb::Message& message) const {
  if (http.query.empty()) return {};
  if (body_ == Body::all)
    return invalid_argument("QUERY_UNEXPECTED",
                            "this request takes no query parameters, such as \"" +
                                http.query.front().first +
                                "\"; its fields come from path and body");
  std::vector<FieldPath> seen;
  for (const auto& [name, value] : http.query) {
    TROUPE_TRY(path, FieldPath::resolve(*request_->GetDescriptor(), name));
    if (body_field_ != nullptr && path.begins_with(*body_field_))
      return invalid_argument("FIELD_MISPLACED",
                              "\"" + name + "\" comes from the body; leave it out of the query");
    if (std::ranges::find(variables_, path) != variables_.end())
      return invalid_argument("FIELD_MISPLACED",
                              "\"" + name + "\" comes from the path; leave it out of the query");
    if (!path.repeated() && (std::ranges::find(seen, path) != seen.end() || path.taken(message)))
      return invalid_argument("FIELD_REPEATED",
                              "\"" + name +
                                  "\" was given before, or another field of which only "
                                  "one may be given; send one of them once");
    TROUPE_CHECK(path.set(message, value));
    seen.push_back(std::move(path));
  }
  return {};
}

Result<std::string> Transcoder::reply(const std::string& payload) const {
  const std::unique_ptr<pb::Message> message{reply_->New()};
  if (!message->ParseFromString(payload))
    return internal("REPLY_MALFORMED", "the reply does not parse as " + message->GetTypeName());
  return reply_field_ == nullptr ? message_to_json(*message)
                                 : field_to_json(*message, *reply_field_);
}

}  // namespace troupe::cluster
