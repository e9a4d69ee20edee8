#include "cluster/gateway/openapi.hpp"

#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <map>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "cluster/gateway/openapi_schemas.hpp"

namespace troupe::cluster {
namespace {

namespace pb = google::protobuf;
using boost::json::array;
using boost::json::object;

object json_of(object schema) {
  return object{{"application/json", object{{"schema", std::move(schema)}}}};
}

object header(std::string_view description) {
  return object{{"description", description}, {"schema", object{{"type", "string"}}}};
}

// OpenAPI has no variables of several segments: "/v1/{name=shelves/*}" is written as
// "/v1/shelves/{name}", and each further "*" gets a parameter of its own.
class PathText {
 public:
  explicit PathText(std::string_view text) {
    while (!text.empty()) {
      const auto open = text.find_first_of("{*");
      path_ += text.substr(0, open);
      if (open == std::string_view::npos) return;
      text.remove_prefix(open);
      if (text.front() == '*') {
        stars(text, "segment");
        continue;
      }
      const auto close = text.find('}');
      std::string_view inside = text.substr(1, close - 1);
      text.remove_prefix(close + 1);
      const auto equals = inside.find('=');
      const std::string name{inside.substr(0, equals)};
      inside = equals == std::string_view::npos ? "*" : inside.substr(equals + 1);
      while (!inside.empty()) {
        const auto star = inside.find('*');
        path_ += inside.substr(0, star);
        inside.remove_prefix(std::min(star, inside.size()));
        if (!inside.empty()) stars(inside, name);
      }
    }
  }

  const std::string& path() const { return path_; }
  std::string shape() const {
    std::string shape;
    bool inside = false;
    for (const char c : path_) {
      if (c == '}') inside = false;
      if (!inside) shape += c;
      if (c == '{') inside = true;
    }
    return shape;
  }
  void rename_as(const PathText& other) {
    path_ = other.path_;
    for (std::size_t i = 0; i < parameters_.size(); ++i)
      parameters_[i].first = other.parameters_[i].first;
  }
  // Names in the path, and the variables that they stand for, or a part of.
  const std::vector<std::pair<std::string, std::string>>& parameters() const { return parameters_; }

 private:
  void stars(std::string_view& text, const std::string& variable) {
    text.remove_prefix(text.starts_with("**") ? 2 : 1);
    std::string name = variable;
    for (int i = 2;
         std::ranges::find(parameters_, name, &std::pair<std::string, std::string>::first) !=
         parameters_.end();
         ++i)
      name = variable + "_" + std::to_string(i);
    path_ += '{' + name + '}';
    parameters_.emplace_back(std::move(name), variable);
  }

  std::string path_;
  std::vector<std::pair<std::string, std::string>> parameters_;
};

const pb::FieldDescriptor* field_at(const pb::Descriptor& type, std::string_view path) {
  const pb::Descriptor* in = &type;
  for (;;) {
    const auto dot = path.find('.');
    const auto* field = in->FindFieldByName(std::string{path.substr(0, dot)});
    if (field == nullptr || dot == std::string_view::npos) return field;
    in = field->message_type();
    if (in == nullptr) return nullptr;
    path.remove_prefix(dot + 1);
  }
}

class Document {
 public:
  Document(const Routes& routes, Comments comments)
      : routes_{routes}, comments_{comments}, schemas_{std::move(comments)} {}

  object write(const OpenApiInfo& info) {
    for (const Route& route : routes_.all()) add(route);
    object paths;
    for (auto& [path, operations] : paths_) paths[path] = std::move(operations);
    object schemas = schemas_.components();
    schemas["troupe.Problem"] = problem();
    return object{{"openapi", "3.1.0"},
                  {"info", object{{"title", info.title}, {"version", info.version}}},
                  {"servers", array{object{{"url", "/"}}}},
                  {"security", array{}},  // none yet
                  {"tags", tags()},
                  {"paths", std::move(paths)},
                  {"components", object{{"schemas", std::move(schemas)}}}};
  }

 private:
  static object problem() {
    const object text{{"type", "string"}};
    return object{
        {"type", "object"},
        {"description", "An error (RFC 9457). Programs compare `reason`."},
        {"required", array{"type", "title", "status", "code", "reason"}},
        {"properties", object{{"type", object{{"type", "string"}, {"format", "uri"}}},
                              {"title", text},
                              {"status", object{{"type", "integer"}}},
                              {"detail", text},
                              {"code", text},
                              {"reason", text},
                              {"instance", object{{"type", "string"}, {"format", "uri"}}}}}};
  }

  array tags() const {
    array all;
    std::set<std::string> seen;
    for (const Route& route : routes_.all()) {
      if (!seen.insert(route.service->name).second) continue;
      object tag{{"name", route.service->name}};
      describe(tag, route.service->name);
      all.push_back(std::move(tag));
    }
    return all;
  }

  void describe(object& what, const std::string& name) const {
    const auto comment = comments_(name);
    if (!comment.empty()) what["description"] = comment;
  }

  void add(const Route& route) {
    const auto& type = route.service->methods[route.method];
    const auto& method = *route.service->descriptor()->FindMethodByName(type.name);
    object operation{{"operationId", operation_id(method)}, {"tags", array{route.service->name}}};
    operation["summary"] = summary(method);
    describe(operation, method.full_name());
    PathText path{route.binding.path.text()};
    // Templates that differ in their variables' names alone are one path: the first one's names.
    path.rename_as(shapes_.try_emplace(path.shape(), path).first->second);
    array parameters = path_parameters(route, path, *method.input_type());
    if (route.binding.body != "*") {
      std::vector<std::string> way;
      add_query(route, *method.input_type(), way, parameters);
    }
    if (!type.read_only)
      parameters.push_back(object{{"name", "Idempotency-Key"},
                                  {"in", "header"},
                                  {"description",
                                   "Names the command: sent again under the same key, it runs once "
                                   "and has the same answer"},
                                  {"schema", object{{"type", "string"}}}});
    if (type.versioned)
      parameters.push_back(
          object{{"name", type.read_only ? "If-None-Match" : "If-Match"},
                 {"in", "header"},
                 {"description", type.read_only ? "ETags that are known: 304 if the entity has one"
                                                : "The ETag that the entity must have: else 412"},
                 {"schema", object{{"type", "string"}}}});
    if (!parameters.empty()) operation["parameters"] = std::move(parameters);
    if (!route.binding.body.empty())
      operation["requestBody"] = object{{"content", json_of(body(route, *method.input_type()))}};
    operation["responses"] = responses(route, *method.output_type());
    std::string verb = route.binding.verb;
    std::ranges::transform(verb, verb.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    paths_[path.path()][verb] = std::move(operation);
  }

  // The first sentence of what the author says, or the method's name.
  std::string summary(const pb::MethodDescriptor& method) const {
    const std::string comment{comments_(method.full_name())};
    const auto end = std::min(comment.find(". "), comment.find('\n'));
    std::string first = comment.substr(0, end);
    if (first.ends_with('.')) first.pop_back();
    return first.empty() ? method.name() : first;
  }

  // "Accounts_Deposit", as generators make good names of; with the package if two services share
  // their name, and a number for further bindings.
  std::string operation_id(const pb::MethodDescriptor& method) {
    const auto same_name = [&](const Route& other) {
      const auto& service = *other.service->descriptor();
      return service.name() == method.service()->name() &&
             service.full_name() != method.service()->full_name();
    };
    std::string id = std::ranges::any_of(routes_.all(), same_name) ? method.service()->full_name()
                                                                   : method.service()->name();
    std::ranges::replace(id, '.', '_');
    id += '_' + method.name();
    const int count = ++ids_[id];
    return count == 1 ? id : id + '_' + std::to_string(count);
  }

  array path_parameters(const Route& route, const PathText& path, const pb::Descriptor& request) {
    array all;
    for (const auto& [name, variable] : path.parameters()) {
      object one{{"name", name}, {"in", "path"}, {"required", true}};
      const auto* field = field_at(request, variable);
      const bool whole = field != nullptr && !route.binding.path.spans(variable);
      one["schema"] = whole ? schemas_.of_one(*field) : object{{"type", "string"}};
      if (field != nullptr) describe(one, field->full_name());
      all.push_back(std::move(one));
    }
    return all;
  }

  // Every field that has a form as text and comes from nowhere else.
  void add_query(const Route& route, const pb::Descriptor& type, std::vector<std::string>& way,
                 array& all) {
    constexpr std::size_t depth_max = 4;  // types may hold themselves
    if (way.size() == depth_max) return;
    for (int i = 0; i < type.field_count(); ++i) {
      const auto& field = *type.field(i);
      if (way.empty() && field.name() == route.binding.body) continue;
      way.push_back(field.name());
      std::string name;
      std::string json_name;
      const pb::Descriptor* in = route.service->descriptor()
                                     ->FindMethodByName(route.service->methods[route.method].name)
                                     ->input_type();
      for (const std::string& part : way) {
        const auto* step = in->FindFieldByName(part);
        name += (name.empty() ? "" : ".") + part;
        json_name += (json_name.empty() ? "" : ".") + step->json_name();
        in = step->message_type();
      }
      const auto& variables = route.binding.path.variables();
      if (std::ranges::find(variables, name) == variables.end()) {
        if (FieldPath::resolve(*root(route), name)) {
          object schema = schemas_.of(field);
          schema.erase("description");
          object one{{"name", json_name}, {"in", "query"}, {"schema", std::move(schema)}};
          describe(one, field.full_name());
          all.push_back(std::move(one));
        } else if (!field.is_repeated() && field.message_type() != nullptr) {
          add_query(route, *field.message_type(), way, all);
        }
      }
      way.pop_back();
    }
  }

  static const pb::Descriptor* root(const Route& route) {
    return route.service->descriptor()
        ->FindMethodByName(route.service->methods[route.method].name)
        ->input_type();
  }

  object body(const Route& route, const pb::Descriptor& request) {
    if (route.binding.body != "*") return schemas_.of(*request.FindFieldByName(route.binding.body));
    std::set<std::string> from_path;
    for (const auto& variable : route.binding.path.variables())
      if (const auto* field = request.FindFieldByName(variable))
        from_path.insert(field->full_name());
    return schemas_.without(request, from_path);
  }

  object responses(const Route& route, const pb::Descriptor& reply) {
    const auto& type = route.service->methods[route.method];
    object headers{
        {"Troupe-Position", header("Where the answer stands in the history of its shard")}};
    if (!type.read_only)
      headers["Idempotency-Replayed"] =
          header("\"true\": this is the answer of an earlier request");
    if (type.versioned) headers["ETag"] = header("The entity's version");
    if (type.stale_ok) headers["Age"] = header("How old the answer is at most, in seconds");
    const auto& binding = route.binding;
    object ok{{"description", "OK"}, {"headers", std::move(headers)}};
    ok["content"] = json_of(binding.response_body.empty()
                                ? schemas_.of(reply)
                                : schemas_.of(*reply.FindFieldByName(binding.response_body)));
    object error{{"description", "An error"}};
    error["content"] =
        object{{"application/problem+json",
                object{{"schema", object{{"$ref", "#/components/schemas/troupe.Problem"}}}}}};
    return object{{"200", std::move(ok)}, {"4XX", error}, {"5XX", error}};
  }

  const Routes& routes_;
  const Comments comments_;
  OpenApiSchemas schemas_;
  std::map<std::string, object> paths_;
  std::map<std::string, PathText> shapes_;
  std::map<std::string, int> ids_;
};

}  // namespace

std::string openapi(const Routes& routes, const OpenApiInfo& info) {
  std::map<std::string_view, std::string_view> comments;
  for (const Route& route : routes.all())
    for (const actors::Comment& comment : route.service->comments)
      comments.emplace(comment.of, comment.text);
  Document document{routes, [&comments](const std::string& of) {
                      const auto found = comments.find(of);
                      return found == comments.end() ? std::string_view{} : found->second;
                    }};
  return boost::json::serialize(document.write(info));
}

}  // namespace troupe::cluster
