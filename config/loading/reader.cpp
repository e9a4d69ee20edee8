#include "config/loading/reader.hpp"

#include <algorithm>

#include "config/loading/environment.hpp"
#include "config/loading/reference.hpp"
#include "config/loading/suggest.hpp"

namespace troupe::config {
namespace {

std::string_view type_name(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "an array";
    case toml::node_type::string:
      return "a string";
    case toml::node_type::integer:
      return "an integer";
    case toml::node_type::floating_point:
      return "a number with a fraction";
    case toml::node_type::boolean:
      return "true or false";
    default:
      return "a date or time";
  }
}

// A key as it is written in a file: quoted unless it is a bare word.
std::string written(std::string_view name) {
  const bool bare = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  });
  return bare ? std::string{name} : in_quotes(name);
}

// For [services.banking.v1.Accounts] without quotes, which TOML reads as four nested tables: the
// name that was meant, or nothing.
std::string nested_service_name(std::string_view name, const toml::node& node) {
  static const std::vector<std::string> own_tables{"limits", "admission", "restart", "quarantine"};
  std::string full{name};
  for (const toml::table* table = node.as_table(); table;) {
    const toml::table* inner = nullptr;
    for (const auto& [key, value] : *table) {
      if (!value.is_table() ||
          std::find(own_tables.begin(), own_tables.end(), key.str()) != own_tables.end())
        continue;
      full += "." + std::string{key.str()};
      inner = value.as_table();
      break;
    }
    table = inner;
  }
  return is_service_name(full) ? full : "";
}

}  // namespace

Place place_of(const toml::source_region& region) {
  return {std::max<std::uint32_t>(region.begin.line, 1),
          std::max<std::uint32_t>(region.begin.column, 1)};
}

Reader::Reader(Input input, std::vector<Problem>& problems, Places& places)
    : input_(std::move(input)), problems_(problems), places_(places) {
  enter(input_.root, "", input_.place);
}

void Reader::finish() {
  leave();
}

// --- sections -----------------------------------------------------------------------------------

void Reader::enter(const toml::table* table, std::string path, Place place) {
  if (!path.empty()) places_[path] = place;
  scopes_.push_back({table, std::move(path), place, {}});
}

void Reader::leave() {
  const Scope scope = std::move(scopes_.back());
  scopes_.pop_back();
  if (!scope.table) return;
  for (const auto& [key, node] : *scope.table) {
    const std::string name{key.str()};
    if (std::find(scope.known.begin(), scope.known.end(), name) != scope.known.end()) continue;
    std::string hint;
    if (const auto meant = suggest(name, scope.known))
      hint = "did you mean " + in_quotes(*meant) + "?";
    else if (const std::string home = where_it_belongs(name); !home.empty())
      hint = "it belongs in " + home;
    else {
      for (const auto& known : scope.known) hint += (hint.empty() ? "" : ", ") + known;
      hint = "known here: " + hint;
    }
    const std::string path = scope.path.empty() ? written(name) : scope.path + "." + written(name);
    problem(place_of(key.source()), path, "unknown key", std::move(hint));
  }
}

std::string Reader::path_of(std::string_view name) const {
  const std::string& path = scopes_.back().path;
  return path.empty() ? written(name) : path + "." + written(name);
}

std::string Reader::where_it_belongs(const std::string& name) const {
  if (!input_.manifest) return "";
  for (const auto& section : reference())
    for (const auto& key : section.keys)
      if (key.name == name)
        return section.heading + (section.heading.starts_with("[service_defaults")
                                      ? " or a service's own section"
                                      : "");
  return "";
}

void Reader::section(const Key& key, const Body& body) {
  const toml::node* node = find(key);
  if (node && !node->is_table()) {
    wrong_type(*node, path_of(key.name), "a table",
               "begin a section with [" + path_of(key.name) + "]");
    return;  // its keys are not missing: the section is
  }
  // Where a key is missing because its whole section is, the place is the section around it.
  const Place place = node ? place_of(*node) : scopes_.back().place;
  enter(node ? node->as_table() : nullptr, path_of(key.name), place);
  body(*this);
  leave();
}

void Reader::sections(const Key& key, const Body& body) {
  const toml::node* node = find(key);
  if (!node) return;
  const std::string path = path_of(key.name);
  const toml::array* array = node->as_array();
  if (!array) {
    wrong_type(*node, path, "an array of tables", "begin each with [[" + path + "]]");
    return;
  }
  if (array->empty() && key.required)
    problem(place_of(*node), path, "there must be at least one", "add [[" + path + "]]");
  for (std::size_t i = 0; i < array->size(); ++i) {
    const toml::node& element = *array->get(i);
    const std::string element_path = path + "[" + std::to_string(i) + "]";
    if (!element.is_table()) {
      wrong_type(element, element_path, "a table", "begin each with [[" + path + "]]");
      continue;
    }
    enter(element.as_table(), element_path, place_of(element));
    body(*this);
    leave();
  }
}

void Reader::services(const Key& key, const NamedBody& body) {
  const toml::node* node = find(key);
  if (!node) return;
  const std::string path = path_of(key.name);
  const toml::table* table = node->as_table();
  if (!table) {
    wrong_type(*node, path, "a table",
               "begin a service's section with [services.\"package.v1.Service\"]");
    return;
  }
  for (const auto& [name, element] : *table) {
    const std::string full{name.str()};
    const std::string element_path = path + "." + written(full);
    if (!is_service_name(full)) {
      const std::string nested = nested_service_name(full, element);
      problem(place_of(name.source()), element_path, "not the full name of a service",
              nested.empty()
                  ? "write it with its package, in quotes: [services.\"banking.v1.Accounts\"]"
                  : "put the name in quotes: [services.\"" + nested + "\"]");
      continue;
    }
    if (!element.is_table()) {
      wrong_type(element, element_path, "a table", "begin it with [" + element_path + "]");
      continue;
    }
    enter(element.as_table(), element_path, place_of(name.source()));
    body(*this, full);
    leave();
  }
}

// --- finding ------------------------------------------------------------------------------------

const toml::node* Reader::find(const Key& key) {
  Scope& scope = scopes_.back();
  if (std::find(scope.known.begin(), scope.known.end(), key.name) == scope.known.end())
    scope.known.emplace_back(key.name);
  const toml::node* node = scope.table ? scope.table->get(key.name) : nullptr;
  if (!node && key.required && input_.complete)
    problem(scope.place, path_of(key.name), "required key is missing", std::string{key.meaning});
  return node;
}

std::optional<std::string> Reader::substituted(const toml::node& node, const std::string& path) {
  Substituted result = substitute(node.ref<std::string>(), input_.environment);
  for (auto& complaint : result.complaints)
    problem(place_of(node), path, std::move(complaint.message), std::move(complaint.hint));
  if (!result.complaints.empty()) return std::nullopt;
  return std::move(result.text);
}

std::optional<Reader::Found> Reader::find_text(const Key& key, const std::string& hint) {
  const toml::node* node = find(key);
  if (!node) return std::nullopt;
  if (!node->is_string()) {
    wrong_type(*node, path_of(key.name), "a string", hint);
    return std::nullopt;
  }
  auto text = substituted(*node, path_of(key.name));
  if (!text) return std::nullopt;
  return Found{std::move(*text), node};
}

std::optional<std::vector<Reader::Found>> Reader::find_texts(const Key& key,
                                                             const std::string& hint) {
  const toml::node* node = find(key);
  if (!node) return std::nullopt;
  const toml::array* array = node->as_array();
  if (!array) {
    wrong_type(*node, path_of(key.name), "an array of strings", hint);
    return std::nullopt;
  }
  std::vector<Found> found;
  bool good = true;
  for (std::size_t i = 0; i < array->size(); ++i) {
    const toml::node& element = *array->get(i);
    const std::string path = path_of(key.name) + "[" + std::to_string(i) + "]";
    if (!element.is_string()) {
      wrong_type(element, path, "a string", hint);
      good = false;
      continue;
    }
    auto text = substituted(element, path);
    if (text)
      found.push_back({std::move(*text), &element});
    else
      good = false;
  }
  if (!good) return std::nullopt;
  return found;
}

// --- problems -----------------------------------------------------------------------------------

void Reader::problem(const Place& place, std::string path, std::string message, std::string hint) {
  problems_.push_back({input_.file, place.line, place.column, std::move(path), std::move(message),
                       std::move(hint)});
}

void Reader::wrong_type(const toml::node& node, std::string path, std::string_view wanted,
                        std::string hint) {
  problem(place_of(node), std::move(path),
          "expected " + std::string{wanted} + ", found " + std::string{type_name(node)},
          std::move(hint));
}

void Reader::accept(const Key& key, const toml::node& node) {
  places_[path_of(key.name)] = place_of(node);
}

}  // namespace troupe::config
