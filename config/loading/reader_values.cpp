// The values of a manifest: types, ranges and forms. Sections are in reader.cpp.
#include <algorithm>
#include <charconv>

#include "config/loading/reader.hpp"
#include "config/loading/suggest.hpp"

namespace troupe::config {
namespace {

constexpr std::string_view duration_example =
    "write a number and its unit in quotes, such as \"250ms\", \"10s\" or \"24h\"";
constexpr std::string_view size_example =
    "write a number and its unit in quotes, such as \"256KiB\" or \"64MiB\"";

std::string list(std::span<const std::string_view> names) {
  std::string text;
  for (const auto name : names) text += (text.empty() ? "" : ", ") + in_quotes(name);
  return text;
}

template <class T>
std::optional<T> parse_scalar(const std::string& text) {
  if constexpr (std::is_same_v<T, bool>) {
    if (text == "true") return true;
    if (text == "false") return false;
    return std::nullopt;
  } else {
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
  }
}

std::string choice_hint(std::string_view word, std::span<const std::string_view> names) {
  const std::vector<std::string> candidates(names.begin(), names.end());
  const auto meant = suggest(word, candidates);
  return meant ? "did you mean " + in_quotes(*meant) + "?" : "write one of " + list(names);
}

}  // namespace

// --- numbers ------------------------------------------------------------------------------------

template <class T>
std::optional<T> Reader::find_scalar(const Key& key, std::string_view wanted,
                                     const std::string& hint, const toml::node** found) {
  const toml::node* node = find(key);
  *found = node;
  if (!node) return std::nullopt;
  if (const auto value = node->value_exact<T>()) return *value;
  if constexpr (std::is_same_v<T, double>)
    if (const auto whole = node->value_exact<std::int64_t>()) return static_cast<double>(*whole);
  if (!node->is_string()) {
    wrong_type(*node, path_of(key.name), wanted, hint);
    return std::nullopt;
  }
  // In quotes it may stand only because a variable needs them.
  const std::string& raw = node->ref<std::string>();
  const bool variable = raw.find("${") != std::string::npos;
  const auto text = substituted(*node, path_of(key.name));
  if (!text) return std::nullopt;
  const auto value = parse_scalar<T>(*text);
  if (value && variable) return value;
  problem(place_of(*node), path_of(key.name),
          "expected " + std::string{wanted} + ", found the string " + in_quotes(*text),
          value ? "write " + *text + " without quotes" : hint);
  return std::nullopt;
}

void Reader::boolean(const Key& key, bool& value) {
  const toml::node* node = nullptr;
  const auto found = find_scalar<bool>(key, "true or false", "write true or false", &node);
  if (!found) return;
  value = *found;
  accept(key, *node);
}

void Reader::integer(const Key& key, std::uint32_t& value, Range<std::uint32_t> range) {
  const std::string hint =
      "write a whole number from " + std::to_string(range.min) + " to " + std::to_string(range.max);
  const toml::node* node = nullptr;
  const auto found = find_scalar<std::int64_t>(key, "an integer", hint, &node);
  if (!found) return;
  if (*found < range.min || *found > range.max) {
    problem(place_of(*node), path_of(key.name), std::to_string(*found) + " is out of range", hint);
    return;
  }
  value = static_cast<std::uint32_t>(*found);
  accept(key, *node);
}

void Reader::number(const Key& key, double& value, Range<double> range) {
  const std::string hint = "write a number from " + plain(range.min) + " to " + plain(range.max);
  const toml::node* node = nullptr;
  const auto found = find_scalar<double>(key, "a number", hint, &node);
  if (!found) return;
  if (!(*found >= range.min && *found <= range.max)) {  // not-a-number is out of range, too
    problem(place_of(*node), path_of(key.name), plain(*found) + " is out of range", hint);
    return;
  }
  value = *found;
  accept(key, *node);
}

// --- texts with a form --------------------------------------------------------------------------

void Reader::duration(const Key& key, Duration& value, Range<Duration> range) {
  const auto found = find_text(key, std::string{duration_example});
  if (!found) return;
  const auto parsed = parse_duration(found->text);
  if (!parsed)
    return problem(place_of(*found->node), path_of(key.name), parsed.error().message,
                   parsed.error().hint);
  if (*parsed < range.min || *parsed > range.max)
    return problem(place_of(*found->node), path_of(key.name),
                   in_quotes(found->text) + " is out of range",
                   "write a duration from \"" + format_duration(range.min) + "\" to \"" +
                       format_duration(range.max) + "\"");
  value = *parsed;
  accept(key, *found->node);
}

void Reader::size(const Key& key, std::uint64_t& value, Range<std::uint64_t> range) {
  const auto found = find_text(key, std::string{size_example});
  if (!found) return;
  const auto parsed = parse_size(found->text);
  if (!parsed)
    return problem(place_of(*found->node), path_of(key.name), parsed.error().message,
                   parsed.error().hint);
  if (*parsed < range.min || *parsed > range.max)
    return problem(place_of(*found->node), path_of(key.name),
                   in_quotes(found->text) + " is out of range",
                   "write a size from \"" + format_size(range.min) + "\" to \"" +
                       format_size(range.max) + "\"");
  value = *parsed;
  accept(key, *found->node);
}

void Reader::text(const Key& key, std::string& value, TextRule rule) {
  const auto found = find_text(key, "write a text in quotes");
  if (!found) return;
  if (rule == TextRule::name && !is_name(found->text))
    return problem(place_of(*found->node), path_of(key.name),
                   in_quotes(found->text) + " is not a name",
                   "a name has 1 to 63 lower-case letters, digits and '-', no '-' at its ends");
  if (rule == TextRule::folder && found->text.empty())
    return problem(place_of(*found->node), path_of(key.name), "the path is empty",
                   "write a folder, such as \"./data/n1\"");
  value = found->text;
  accept(key, *found->node);
}

void Reader::address(const Key& key, std::optional<Address>& value) {
  const auto found = find_text(key, "write host:port in quotes, such as \"127.0.0.1:8080\"");
  if (!found) return;
  const auto parsed = parse_address(found->text);
  if (!parsed)
    return problem(place_of(*found->node), path_of(key.name), parsed.error().message,
                   parsed.error().hint);
  value = *parsed;
  accept(key, *found->node);
}

// --- lists --------------------------------------------------------------------------------------

void Reader::choice(const Key& key, std::size_t& value, std::span<const std::string_view> names) {
  const auto found = find_text(key, "write one of " + list(names));
  if (!found) return;
  const auto position = std::find(names.begin(), names.end(), found->text);
  if (position == names.end())
    return problem(place_of(*found->node), path_of(key.name),
                   in_quotes(found->text) + " is not one of " + list(names),
                   choice_hint(found->text, names));
  value = static_cast<std::size_t>(position - names.begin());
  accept(key, *found->node);
}

void Reader::choices(const Key& key, std::vector<std::size_t>& value,
                     std::span<const std::string_view> names) {
  const auto found = find_texts(key, "write some of " + list(names) + " in square brackets");
  if (!found) return;
  std::vector<std::size_t> chosen;
  bool good = true;
  for (std::size_t i = 0; i < found->size(); ++i) {
    const auto& [text, node] = (*found)[i];
    const std::string path = path_of(key.name) + "[" + std::to_string(i) + "]";
    const auto position = std::find(names.begin(), names.end(), text);
    const auto index = static_cast<std::size_t>(position - names.begin());
    if (position == names.end()) {
      problem(place_of(*node), path, in_quotes(text) + " is not one of " + list(names),
              choice_hint(text, names));
      good = false;
    } else if (std::find(chosen.begin(), chosen.end(), index) != chosen.end()) {
      problem(place_of(*node), path, in_quotes(text) + " stands here twice", "write each once");
      good = false;
    } else {
      chosen.push_back(index);
    }
  }
  if (!good) return;
  const Place place = place_of(*scopes_.back().table->get(key.name));
  if (chosen.empty())
    return problem(place, path_of(key.name), "there must be at least one",
                   "write some of " + list(names) + ", or leave the key out for all");
  value = std::move(chosen);
  places_[path_of(key.name)] = place;
}

void Reader::service_names(const Key& key, std::optional<std::vector<std::string>>& value) {
  const toml::node* node = find(key);
  if (!node) return;
  if (node->is_string() && node->ref<std::string>() == "all") {
    value = std::nullopt;
    return accept(key, *node);
  }
  const auto found =
      find_texts(key, "write full names in square brackets, [\"banking.v1.Accounts\"], or \"all\"");
  if (!found) return;
  value = distinct(key, *found, is_service_name, "is not the full name of a service",
                   "write it with its package, such as \"banking.v1.Accounts\"");
  accept(key, *node);
}

void Reader::origins(const Key& key, std::vector<std::string>& value) {
  const toml::node* node = find(key);
  if (!node) return;
  const auto found =
      find_texts(key, "write origins in square brackets, [\"https://shop.example\"]");
  if (!found) return;
  const bool any = found->size() == 1 && found->front().text == "*";
  value = any ? std::vector<std::string>{"*"}
              : distinct(key, *found, is_origin, "is not an origin",
                         "write scheme and host, and the port if there is one, in lower case and "
                         "without a path: \"https://shop.example\"; or \"*\" alone");
  accept(key, *node);
}

// The texts of a list that are what they have to be, each once; of the others it complains.
std::vector<std::string> Reader::distinct(const Key& key, const std::vector<Found>& found,
                                          bool (*suits)(std::string_view), const char* wrong,
                                          const char* hint) {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const Found& element = found[i];
    const std::string path = path_of(key.name) + "[" + std::to_string(i) + "]";
    if (!suits(element.text)) {
      problem(place_of(*element.node), path, in_quotes(element.text) + ' ' + wrong, hint);
    } else if (std::find(texts.begin(), texts.end(), element.text) != texts.end()) {
      problem(place_of(*element.node), path, in_quotes(element.text) + " stands here twice",
              "write each once");
    } else {
      texts.push_back(element.text);
      places_[path] = place_of(*element.node);
    }
  }
  return texts;
}

void Reader::labels(const Key& key, std::map<std::string, std::string>& value) {
  const toml::node* node = find(key);
  if (!node) return;
  const toml::table* table = node->as_table();
  if (!table)
    return wrong_type(*node, path_of(key.name), "a table",
                      "write labels = { region = \"eu\", zone = \"a\" }");
  for (const auto& [name, element] : *table) {
    const std::string path = path_of(key.name) + "." + std::string{name.str()};
    if (!is_name(name.str())) {
      problem(place_of(name.source()), path, in_quotes(name.str()) + " is not a name",
              "a name has 1 to 63 lower-case letters, digits and '-', no '-' at its ends");
    } else if (!element.is_string()) {
      wrong_type(element, path, "a string", "write the value in quotes");
    } else if (auto text = substituted(element, path)) {
      value[std::string{name.str()}] = std::move(*text);
    }
  }
  accept(key, *node);
}

}  // namespace troupe::config
