#include "simulations/rehearsal/http_call.hpp"

#include <google/protobuf/message.h>
#include <google/protobuf/struct.pb.h>

#include <charconv>
#include <map>
#include <memory>

#include "actors/contracts/http_rules.hpp"
#include "cluster/gateway/http/http_message.hpp"
#include "cluster/gateway/json.hpp"
#include "simulations/world/check.hpp"

namespace troupe::simulations {
namespace {

namespace pb = google::protobuf;

struct Binding {
  actors::HttpBinding http;
  const pb::MethodDescriptor* method = nullptr;
};

const Binding& binding_of(const actors::CallBase& call) {
  static std::map<std::pair<const actors::ServiceType*, std::uint32_t>, Binding> known;
  const auto [place, is_new] = known.try_emplace({call.service, call.method});
  if (!is_new) return place->second;
  auto& binding = place->second;
  binding.method = call.service->descriptor()->method(static_cast<int>(call.method));
  auto bindings = actors::http_bindings(*binding.method);
  check(bindings && !bindings->empty(),
        binding.method->full_name() + " has no HTTP rule, so clients cannot call it");
  binding.http = std::move(bindings->front());
  return binding;
}

std::unique_ptr<pb::Message> make(const pb::Descriptor& type) {
  const auto* prototype = pb::MessageFactory::generated_factory()->GetPrototype(&type);
  check(prototype != nullptr, "the message " + type.full_name() + " is not compiled in");
  return std::unique_ptr<pb::Message>{prototype->New()};
}

std::string percent_encode(std::string_view text, bool keep_slash) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (letter || std::string_view{"-._~"}.find(c) != std::string_view::npos ||
        (keep_slash && c == '/')) {
      encoded += c;
      continue;
    }
    encoded += '%';
    encoded += digits[static_cast<unsigned char>(c) >> 4];
    encoded += digits[static_cast<unsigned char>(c) & 15];
  }
  return encoded;
}

// A JSON string without its quotes, anything else as it is. Values of paths and queries hold no
// escapes that JSON would need, but for those of strings, which do not come this way.
std::string unquoted(const std::string& json) {
  const bool quoted = json.size() >= 2 && json.front() == '"';
  return quoted ? json.substr(1, json.size() - 2) : json;
}

std::string text_of(const pb::Message& message, const pb::FieldDescriptor& field) {
  if (field.type() == pb::FieldDescriptor::TYPE_STRING)
    return message.GetReflection()->GetString(message, &field);
  auto json = cluster::field_to_json(message, field);
  check(json.has_value(), "a field has no JSON form: " + field.full_name());
  return unquoted(*json);
}

// The value of "a.b.c", which is then cleared.
std::string take_field(pb::Message& message, const std::string& path) {
  auto* at = &message;
  std::size_t begin = 0;
  for (;;) {
    const auto end = path.find('.', begin);
    const auto* field = at->GetDescriptor()->FindFieldByName(path.substr(begin, end - begin));
    check(field != nullptr, "no field " + path + " in " + message.GetTypeName());
    if (end == std::string::npos) {
      auto text = text_of(*at, *field);
      at->GetReflection()->ClearField(at, field);
      return text;
    }
    at = at->GetReflection()->MutableMessage(at, field);
    begin = end + 1;
  }
}

std::string fill_template(const actors::HttpTemplate& path, pb::Message& message) {
  std::string filled;
  const std::string& text = path.text();
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] != '{') {
      filled += text[at++];
      continue;
    }
    const auto end = text.find('}', at);
    const auto name = text.substr(at + 1, text.find_first_of("=}", at) - at - 1);
    filled += percent_encode(take_field(message, name), path.spans(name));
    at = end + 1;
  }
  return filled;
}

void add_query(const pb::Message& message, const std::string& prefix, std::string& query) {
  const auto add = [&](const std::string& name, const std::string& value) {
    query += query.empty() ? '?' : '&';
    query += percent_encode(name, false) + '=' + percent_encode(value, false);
  };
  const auto& reflection = *message.GetReflection();
  std::vector<const pb::FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const auto* field : fields) {
    const auto name = prefix + field->name();
    if (field->is_repeated()) {
      check(field->type() == pb::FieldDescriptor::TYPE_STRING,
            name + ": a repeated field that is no string cannot be sent in a query yet");
      for (int i = 0; i < reflection.FieldSize(message, field); ++i)
        add(name, reflection.GetRepeatedString(message, field, i));
    } else if (field->cpp_type() == pb::FieldDescriptor::CPPTYPE_MESSAGE &&
               field->message_type()->file()->package() != "google.protobuf") {
      add_query(reflection.GetMessage(message, field), name + '.', query);
    } else {
      add(name, text_of(message, *field));
    }
  }
}

std::string json_of(const pb::Message& message) {
  auto json = cluster::message_to_json(message, cluster::JsonFields::present);
  check(json.has_value(), "a request has no JSON form: " + message.GetTypeName());
  return std::move(*json);
}

Error malformed(const std::string& what) {
  return internal("REPLY_MALFORMED", what);
}

}  // namespace

HttpCall http_call(const actors::CallBase& call) {
  const auto& binding = binding_of(call);
  const auto message = make(*binding.method->input_type());
  check(message->ParseFromString(call.payload), "a call's payload is not its request");
  HttpCall http;
  http.verb = binding.http.verb;
  http.target = fill_template(binding.http.path, *message);
  if (binding.http.body == "*") {
    http.body = json_of(*message);
    return http;
  }
  if (!binding.http.body.empty()) {
    const auto* field = message->GetDescriptor()->FindFieldByName(binding.http.body);
    http.body = json_of(message->GetReflection()->GetMessage(*message, field));
    message->GetReflection()->ClearField(message.get(), field);
  }
  std::string query;
  add_query(*message, "", query);
  http.target += query;
  return http;
}

Result<std::string> http_reply(const actors::CallBase& call, const std::string& body) {
  const auto& binding = binding_of(call);
  const auto message = make(*binding.method->output_type());
  const auto& part = binding.http.response_body;
  TROUPE_CHECK(
      cluster::json_to_message(part.empty() ? body : "{\"" + part + "\":" + body + '}', *message));
  return cluster::serialize_deterministically(*message);
}

Error http_error(const std::string& body) {
  pb::Struct problem;
  if (!cluster::json_to_message(body, problem)) return malformed("no problem document: " + body);
  const auto text = [&](const char* name) -> std::string {
    const auto found = problem.fields().find(name);
    return found == problem.fields().end() ? "" : found->second.string_value();
  };
  Error error{Code::unknown, text("reason"), text("detail")};
  for (int code = 1; code <= 16; ++code) {
    if (to_string(static_cast<Code>(code)) == text("code")) error.code = static_cast<Code>(code);
  }
  if (error.reason.empty()) return malformed("a problem document without a reason: " + body);
  return error;
}

const std::string* HttpResponseText::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (cluster::equal_ignoring_case(key, name)) return &value;
  }
  return nullptr;
}

Result<bool> take_response(std::string& received, HttpResponseText& response) {
  const auto head_end = received.find("\r\n\r\n");
  if (head_end == std::string::npos) return false;
  response = {};
  const std::string_view head{received.data(), head_end};
  constexpr std::string_view version = "HTTP/1.1 ";
  if (!head.starts_with(version) ||
      std::from_chars(head.data() + version.size(), head.data() + head.size(), response.status)
              .ec != std::errc{})
    return malformed("no status line: " + std::string{head.substr(0, 80)});
  for (auto at = head.find("\r\n"); at != std::string_view::npos;) {
    const auto begin = at + 2;
    at = head.find("\r\n", begin);
    const auto line = head.substr(begin, at == std::string_view::npos ? at : at - begin);
    const auto colon = line.find(": ");
    if (colon == std::string_view::npos) return malformed("no header: " + std::string{line});
    response.headers.emplace_back(line.substr(0, colon), line.substr(colon + 2));
  }
  std::size_t length = 0;
  if (const auto* text = response.header("Content-Length"))
    std::from_chars(text->data(), text->data() + text->size(), length);
  if (received.size() < head_end + 4 + length) return false;
  response.body = received.substr(head_end + 4, length);
  received.erase(0, head_end + 4 + length);
  return true;
}

}  // namespace troupe::simulations
