#include "config/policies.hpp"

#include <algorithm>

#include "config/loading/check.hpp"
#include "config/loading/reader.hpp"
#include "config/loading/syntax.hpp"

namespace troupe::config {
namespace {

// Writes down every value that it meets. Sections of services and of the balancer have no others.
class Lister final : public SchemaVisitor {
 public:
  std::vector<Setting> take() { return std::move(settings_); }

  void section(const Key& key, const Body& body) override {
    const std::string outer = path_;
    path_ += std::string{key.name} + ".";
    body(*this);
    path_ = outer;
  }
  void sections(const Key&, const Body&) override {}
  void services(const Key&, const NamedBody&) override {}

  void text(const Key& key, std::string& value, TextRule) override { add(key, value); }
  void boolean(const Key& key, bool& value) override { add(key, value ? "true" : "false"); }
  void integer(const Key& key, std::uint32_t& value, Range<std::uint32_t>) override {
    add(key, std::to_string(value));
  }
  void number(const Key& key, double& value, Range<double>) override { add(key, plain(value)); }
  void duration(const Key& key, Duration& value, Range<Duration>) override {
    add(key, format_duration(value));
  }
  void size(const Key& key, std::uint64_t& value, Range<std::uint64_t>) override {
    add(key, format_size(value));
  }
  void choice(const Key& key, std::size_t& value,
              std::span<const std::string_view> names) override {
    add(key, std::string{names[value]});
  }
  void address(const Key&, std::optional<Address>&) override {}
  void labels(const Key&, std::map<std::string, std::string>&) override {}
  void service_names(const Key&, std::optional<std::vector<std::string>>&) override {}
  void origins(const Key&, std::vector<std::string>&) override {}
  void choices(const Key&, std::vector<std::size_t>&, std::span<const std::string_view>) override {}

 private:
  void add(const Key& key, std::string value) {
    settings_.push_back({path_ + std::string{key.name}, std::move(value), std::string{key.fixed}});
  }

  std::string path_;
  std::vector<Setting> settings_;
};

template <class Settings>
std::vector<Setting> list(Settings settings) {
  Lister lister;
  describe(lister, settings);
  return lister.take();
}

// 20000 and true are values of TOML; 10s and 64MiB stand in quotes there, which are left out here.
void put_value(toml::table& table, const std::string& name, const std::string& value) {
  const Parsed parsed = parse_toml("value = " + value, "");
  const toml::node* node = parsed.problems.empty() ? parsed.root.get("value") : nullptr;
  if (node && parsed.root.size() == 1)
    node->visit([&](const auto& one) { table.insert_or_assign(name, one); });
  else
    table.insert_or_assign(name, value);
}

// "limits.waiting_commands": a table in a table.
toml::table table_of(const std::string& key, const std::string& value) {
  toml::table table;
  const auto dot = key.find('.');
  if (dot == std::string::npos)
    put_value(table, key, value);
  else
    table.insert_or_assign(key.substr(0, dot), table_of(key.substr(dot + 1), value));
  return table;
}

// More than any key or value needs: who asks may be anybody.
constexpr std::size_t text_max = 200;

template <class Settings>
std::vector<Problem> apply(Settings& settings, const Policies& policies) {
  std::vector<Problem> problems;
  const auto known = list(settings);
  for (const auto& [key, value] : policies) {
    if (key.size() > text_max || value.size() > text_max) {
      problems.push_back(
          {"", 0, 0, key.substr(0, text_max), "the key or the value is too long", ""});
      continue;
    }
    const auto found = std::ranges::find(known, key, &Setting::key);
    if (found != known.end() && !found->fixed.empty()) {
      problems.push_back({"", 0, 0, key, "it cannot change while the cluster runs", found->fixed});
      continue;
    }
    const toml::table table = table_of(key, value);
    Places places;
    Reader::Input input;
    input.root = &table;
    input.environment = [](const std::string&) { return std::nullopt; };
    Reader reader{std::move(input), problems, places};
    describe(reader, settings);
    reader.finish();
  }
  return problems;
}

}  // namespace

std::vector<Setting> settings_of(const Service& service) {
  return list(service);
}

std::vector<Setting> settings_of(const Balancer& balancer) {
  return list(balancer);
}

std::vector<Problem> apply_policies(Service& service, const Policies& policies) {
  return apply(service, policies);
}

std::vector<Problem> apply_policies(Balancer& balancer, const Policies& policies) {
  return apply(balancer, policies);
}

std::vector<Problem> contradictions(const Service& service) {
  std::vector<Problem> problems;
  for (const WrongPair& pair : wrong_pairs(service))
    problems.push_back(
        {"", 0, 0, pair.section + '.' + pair.first, pair.complaint.message, pair.complaint.hint});
  return problems;
}

}  // namespace troupe::config
