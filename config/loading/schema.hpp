// The one description of a manifest: which keys there are, of which type and range, and what they
// mean. The loader walks it to read a file, the reference walks it to write docs/manifest.md's
// tables, so a key cannot exist for one and not for the other. Defaults are what a
// default-constructed Manifest holds.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/manifest.hpp"
#include "config/names.hpp"

namespace troupe::config {

struct Key {
  std::string_view name;
  std::string_view meaning;  // one sentence, for docs/manifest.md
  bool required = false;
  // For the documentation, where the value that stands for "not given" would say too little.
  std::string_view default_text = {};
  // Of a section: what is in it may change while the cluster runs (config/policies.hpp).
  bool policies = false;
  // Of a key in such a section that may not: why, or what to do instead.
  std::string_view fixed = {};
};

template <class T>
struct Range {
  T min;
  T max;
};

// What a text may be.
enum class TextRule : std::uint8_t {
  name,    // a DNS label: lower-case letters, digits and '-', 1 to 63
  folder,  // a path of the operating system, not empty
};

// Called once per key, in the order of the documentation. A visitor may change the value.
class SchemaVisitor {
 public:
  virtual ~SchemaVisitor() = default;

  using Body = std::function<void(SchemaVisitor& visitor)>;
  using NamedBody = std::function<void(SchemaVisitor& visitor, const std::string& name)>;

  virtual void section(const Key& key, const Body& body) = 0;        // [key]
  virtual void sections(const Key& key, const Body& body) = 0;       // [[key]], once per element
  virtual void services(const Key& key, const NamedBody& body) = 0;  // [key."full.Name"]

  virtual void text(const Key& key, std::string& value, TextRule rule) = 0;
  virtual void address(const Key& key, std::optional<Address>& value) = 0;
  virtual void boolean(const Key& key, bool& value) = 0;
  virtual void integer(const Key& key, std::uint32_t& value, Range<std::uint32_t> range) = 0;
  virtual void number(const Key& key, double& value, Range<double> range) = 0;
  virtual void duration(const Key& key, Duration& value, Range<Duration> range) = 0;
  virtual void size(const Key& key, std::uint64_t& value, Range<std::uint64_t> range) = 0;
  virtual void labels(const Key& key, std::map<std::string, std::string>& value) = 0;
  virtual void service_names(const Key& key, std::optional<std::vector<std::string>>& value) = 0;
  virtual void origins(const Key& key, std::vector<std::string>& value) = 0;
  // One of `names`, or several without repetition, each as its position.
  virtual void choice(const Key& key, std::size_t& value,
                      std::span<const std::string_view> names) = 0;
  virtual void choices(const Key& key, std::vector<std::size_t>& value,
                       std::span<const std::string_view> names) = 0;
};

// Names of the enumerations of manifest.hpp, in the order of their values.
inline constexpr std::array<std::string_view, 2> role_names{"control", "worker"};
inline constexpr std::array<std::string_view, 2> scheduler_policy_names{"sharing", "stealing"};
inline constexpr std::array<std::string_view, 4> log_level_names{"debug", "info", "warn", "error"};
inline constexpr std::array<std::string_view, 3> log_format_names{"auto", "text", "json"};

// Walks the whole manifest.
void describe(SchemaVisitor& visitor, Manifest& manifest);
// Walks one section of it.
void describe(SchemaVisitor& visitor, Service& service);
void describe(SchemaVisitor& visitor, Balancer& balancer);

std::string plain(double value);  // "0.2" rather than "0.200000"

}  // namespace troupe::config
