#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "actors/codegen/contract.hpp"
#include "actors/codegen/names.hpp"
#include "actors/contracts/http_rules.hpp"
#include "google/api/annotations.pb.h"
#include "troupe/options.pb.h"

namespace troupe::codegen {
namespace {

namespace pb = google::protobuf;
using actors::HttpBinding;

// The fields that a variable's path names, outermost first; shorter than the path if one is not
// there.
std::vector<const pb::FieldDescriptor*> resolve(const pb::Descriptor& request,
                                                std::string_view path) {
  std::vector<const pb::FieldDescriptor*> fields;
  for (const auto* message = &request; message != nullptr;) {
    const auto dot = std::min(path.find('.'), path.size());
    const auto* field = message->FindFieldByName(std::string{path.substr(0, dot)});
    if (field == nullptr) break;
    fields.push_back(field);
    if (dot == path.size()) break;
    path.remove_prefix(dot + 1);
    message = field->message_type();
  }
  return fields;
}

class MethodCheck {
 public:
  MethodCheck(const pb::MethodDescriptor& method, Mistakes& mistakes)
      : method_(method), request_(*method.input_type()), mistakes_(mistakes) {}

  std::vector<HttpBinding> check() {
    auto read = actors::http_bindings(method_);
    if (!read) {
      wrong(read.error().message);
      return {};
    }
    check_verbs(*read);
    for (const auto& binding : *read) {
      const bool body_fits = check_body(binding);
      for (const auto& variable : binding.path.variables()) check_variable(binding, variable);
      if (body_fits && binding.body != "*") check_query(binding);
      check_response(binding);
    }
    return std::move(*read);
  }

 private:
  void wrong(const std::string& what) {
    mistakes_.add(place_of_option(method_, google::api::kHttpFieldNumber), what);
  }

  // GET promises that nothing changes; caches and crawlers rely on it (RFC 9110, section 9.2.1).
  void check_verbs(const std::vector<HttpBinding>& bindings) {
    const bool read_only = method_.options().GetExtension(troupe::method).read_only();
    const auto get = [](const HttpBinding& binding) { return binding.verb == "GET"; };
    const auto found = std::ranges::find_if(bindings, get);
    if (!read_only && found != bindings.end())
      wrong(found->text() +
            " leads to a command, which may write: write post, put, patch or "
            "delete, or option (troupe.method) = { read_only: true }");
    if (read_only && found == bindings.end() && !bindings.empty())
      wrong(bindings.front().text() +
            " leads to a read_only method: write get (others may stand "
            "beside it in additional_bindings)");
  }

  void check_variable(const HttpBinding& binding, const std::string& variable) {
    const auto fields = resolve(request_, variable);
    const auto steps = static_cast<std::size_t>(std::ranges::count(variable, '.')) + 1;
    const auto start = binding.text() + ": the variable {" + variable + "} ";
    if (fields.size() < steps) {
      wrong(start + "is not a field of " + quoted(request_.name()) +
            "; write the name of one, or add it");
      return;
    }
    const auto& last = *fields.back();
    const auto repeated = [](const auto* field) { return field->is_repeated(); };
    if (std::ranges::any_of(fields, repeated) || last.message_type() != nullptr)
      wrong(start + "is a repeated field or a message; a path holds one plain value");
    else if (last.type() != pb::FieldDescriptor::TYPE_STRING && binding.path.spans(variable))
      wrong(start + "takes several segments of the path, but the field is a " + last.type_name() +
            "; only a string can hold them");
    if (fields.front()->name() == binding.body)
      wrong(start + "lies in the field " + quoted(binding.body) +
            ", which is the body; a value has one place");
  }

  bool check_body(const HttpBinding& binding) {
    if (binding.body.empty() || binding.body == "*") return true;
    const auto* field = request_.FindFieldByName(binding.body);
    if (field != nullptr && field->message_type() != nullptr && !field->is_repeated()) return true;
    wrong(binding.text() + ": body " + quoted(binding.body) + " is not a message field of " +
          quoted(request_.name()) + "; write the name of one, or \"*\" for the whole request");
    return false;
  }

  // What is neither in the path nor in the body can only come from the query.
  void check_query(const HttpBinding& binding) {
    for (int i = 0; i < request_.field_count(); ++i) {
      const auto& field = *request_.field(i);
      if (field.name() == binding.body) continue;
      std::set<const pb::Descriptor*> seen;
      if (const auto* cause = unfit_for_query(field, seen))
        wrong(binding.text() + ": the field " + quoted(cause->full_name()) +
              " is a repeated message or a map, which a query cannot hold; put it into the body");
    }
  }

  const pb::FieldDescriptor* unfit_for_query(const pb::FieldDescriptor& field,
                                             std::set<const pb::Descriptor*>& seen) {
    const auto* message = field.message_type();
    if (message == nullptr) return nullptr;
    if (field.is_repeated()) return &field;
    if (!seen.insert(message).second) return nullptr;
    for (int i = 0; i < message->field_count(); ++i)
      if (const auto* cause = unfit_for_query(*message->field(i), seen)) return cause;
    return nullptr;
  }

  void check_response(const HttpBinding& binding) {
    const auto& response = *method_.output_type();
    if (binding.response_body.empty() || response.FindFieldByName(binding.response_body)) return;
    wrong(binding.text() + ": response_body " + quoted(binding.response_body) +
          " is not a field of " + quoted(response.name()));
  }

  const pb::MethodDescriptor& method_;
  const pb::Descriptor& request_;
  Mistakes& mistakes_;
};

struct Route {
  HttpBinding binding;
  const pb::MethodDescriptor* method = nullptr;
};

}  // namespace

void check_http(const pb::FileDescriptor& file, Mistakes& mistakes) {
  std::vector<Route> routes;
  for (int s = 0; s < file.service_count(); ++s)
    for (int m = 0; m < file.service(s)->method_count(); ++m) {
      const auto& method = *file.service(s)->method(m);
      for (auto& binding : MethodCheck{method, mistakes}.check()) {
        for (const auto& earlier : routes)
          if (binding.clashes(earlier.binding))
            mistakes.add(
                place_of_option(method, google::api::kHttpFieldNumber),
                binding.text() + " matches paths that " + earlier.binding.text() + " of rpc " +
                    quoted(earlier.method->name()) + " (" +
                    place_of_option(*earlier.method, google::api::kHttpFieldNumber).text() +
                    ") matches, too; change one of them");
        routes.push_back({std::move(binding), &method});
      }
    }
}

}  // namespace troupe::codegen
