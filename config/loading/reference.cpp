#include "config/loading/reference.hpp"

#include "config/loading/schema.hpp"

namespace troupe::config {
namespace {

std::string code(std::string_view text) {
  return "`" + std::string{text} + "`";
}

std::string between(const std::string& min, const std::string& max) {
  return min + " to " + max;
}

// Writes down what it is shown. Defaults are the values it meets.
class Documenter final : public SchemaVisitor {
 public:
  std::vector<SectionReference> take() { return std::move(sections_); }

  void section(const Key& key, const Body& body) override {
    const std::string outer = path_;
    const bool outer_policies = policies_;
    path_ = path_.empty() ? std::string{key.name} : path_ + "." + std::string{key.name};
    policies_ = policies_ || key.policies;
    begin("[" + path_ + "]", key);
    body(*this);
    path_ = outer;
    policies_ = outer_policies;
  }
  void sections(const Key& key, const Body& body) override {
    path_ = key.name;
    begin("[[" + path_ + "]]", key);
    body(*this);
    path_.clear();
  }
  void services(const Key& key, const NamedBody&) override {
    // The same keys as service_defaults, which the meaning says.
    begin("[" + std::string{key.name} + ".\"package.v1.Service\"]", key);
  }

  void text(const Key& key, std::string& value, TextRule rule) override {
    add(key, rule == TextRule::name ? "name" : "path", value.empty() ? "" : code(value), "");
  }
  void address(const Key& key, std::optional<Address>&) override { add(key, "address", "", ""); }
  void boolean(const Key& key, bool& value) override {
    add(key, "boolean", code(value ? "true" : "false"), "");
  }
  void integer(const Key& key, std::uint32_t& value, Range<std::uint32_t> range) override {
    add(key, "integer", code(std::to_string(value)),
        between(std::to_string(range.min), std::to_string(range.max)));
  }
  void number(const Key& key, double& value, Range<double> range) override {
    add(key, "number", code(plain(value)), between(plain(range.min), plain(range.max)));
  }
  void duration(const Key& key, Duration& value, Range<Duration> range) override {
    add(key, "duration", code(in_quotes(format_duration(value))),
        between(format_duration(range.min), format_duration(range.max)));
  }
  void size(const Key& key, std::uint64_t& value, Range<std::uint64_t> range) override {
    add(key, "size", code(in_quotes(format_size(value))),
        between(format_size(range.min), format_size(range.max)));
  }
  void labels(const Key& key, std::map<std::string, std::string>&) override {
    add(key, "table of texts", "none", "");
  }
  void service_names(const Key& key, std::optional<std::vector<std::string>>&) override {
    add(key, "list of names", "", "");
  }
  void origins(const Key& key, std::vector<std::string>&) override {
    add(key, "list of origins", "", "");
  }
  void choice(const Key& key, std::size_t& value,
              std::span<const std::string_view> names) override {
    add(key, "one of", code(in_quotes(names[value])), join(names));
  }
  void choices(const Key& key, std::vector<std::size_t>& value,
               std::span<const std::string_view> names) override {
    std::string chosen;
    for (const std::size_t position : value)
      chosen += (chosen.empty() ? "" : ", ") + in_quotes(names[position]);
    add(key, "some of", code("[" + chosen + "]"), join(names));
  }

 private:
  static std::string join(std::span<const std::string_view> names) {
    std::string text;
    for (const auto name : names) text += (text.empty() ? "" : ", ") + code(in_quotes(name));
    return text;
  }

  void begin(std::string heading, const Key& key) {
    sections_.push_back({std::move(heading), std::string{key.meaning}, {}, policies_});
  }

  void add(const Key& key, std::string type, std::string value, std::string range) {
    if (key.required)
      value = "required";
    else if (!key.default_text.empty())
      value = key.default_text;
    sections_.back().keys.push_back({std::string{key.name}, std::move(type), std::move(value),
                                     std::move(range), std::string{key.meaning},
                                     policies_ && key.fixed.empty()});
  }

  std::string path_;
  bool policies_ = false;  // of the section that is being read
  std::vector<SectionReference> sections_;
};

}  // namespace

std::vector<SectionReference> reference() {
  Documenter documenter;
  Manifest defaults;
  describe(documenter, defaults);
  return documenter.take();
}

std::string to_markdown(const SectionReference& section) {
  std::string text = "### `" + section.heading + "`\n\n" + section.meaning + "\n";
  if (section.keys.empty()) return text;
  text += "\n| key | type | default | range | ";
  text += section.policies ? "while it runs | " : "";
  text += "meaning |\n| --- | --- | --- | --- | --- |";
  text += section.policies ? " --- |\n" : "\n";
  for (const auto& key : section.keys) {
    text += "| `" + key.name + "` | " + key.type + " | " + key.default_value + " | " + key.range;
    if (section.policies) text += key.policy ? " | yes" : " | no";
    text += " | " + key.meaning + " |\n";
  }
  return text;
}

}  // namespace troupe::config
