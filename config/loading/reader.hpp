// Reads the tables of a TOML file into a manifest along the schema, noting every problem and the
// place of every value, which the checks between sections then point at. Files of another kind
// (simulations) are read with the same calls, key by key.
#pragma once

#include <toml++/toml.h>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/load.hpp"
#include "config/loading/schema.hpp"

namespace troupe::config {

struct Place {
  std::uint32_t line = 1;
  std::uint32_t column = 1;
};

// Where each section and each value that was read without a problem stands, by path.
using Places = std::map<std::string, Place>;

Place place_of(const toml::source_region& region);
inline Place place_of(const toml::node& node) {
  return place_of(node.source());
}

class Reader final : public SchemaVisitor {
 public:
  struct Input {
    const toml::table* root = nullptr;
    std::string file;
    Environment environment;
    bool complete = true;  // false: lines are missing, so a missing key is no problem
    Place place = {};      // of the root, where it is not a file's outermost table
    bool manifest = true;  // false: an unknown key may not be one of the manifest in a wrong place
  };
  Reader(Input input, std::vector<Problem>& problems, Places& places);

  // Reports the keys of the outermost table that the schema did not ask for.
  void finish();

  void section(const Key& key, const Body& body) override;
  void sections(const Key& key, const Body& body) override;
  void services(const Key& key, const NamedBody& body) override;
  void text(const Key& key, std::string& value, TextRule rule) override;
  void address(const Key& key, std::optional<Address>& value) override;
  void boolean(const Key& key, bool& value) override;
  void integer(const Key& key, std::uint32_t& value, Range<std::uint32_t> range) override;
  void number(const Key& key, double& value, Range<double> range) override;
  void duration(const Key& key, Duration& value, Range<Duration> range) override;
  void size(const Key& key, std::uint64_t& value, Range<std::uint64_t> range) override;
  void labels(const Key& key, std::map<std::string, std::string>& value) override;
  void service_names(const Key& key, std::optional<std::vector<std::string>>& value) override;
  void origins(const Key& key, std::vector<std::string>& value) override;
  void choice(const Key& key, std::size_t& value, std::span<const std::string_view> names) override;
  void choices(const Key& key, std::vector<std::size_t>& value,
               std::span<const std::string_view> names) override;

  // For keys of a form that no call above reads.
  // The node of a key, null if it is not there (a problem if it is required). Marks it as known.
  const toml::node* find(const Key& key);
  std::string path_of(std::string_view name) const;
  void problem(const Place& place, std::string path, std::string message, std::string hint);
  void wrong_type(const toml::node& node, std::string path, std::string_view wanted,
                  std::string hint);

 private:
  // The table that is being read, and what the schema asked of it so far.
  struct Scope {
    const toml::table* table = nullptr;  // null: the file has no such section
    std::string path;
    Place place;
    std::vector<std::string> known;
  };

  void enter(const toml::table* table, std::string path, Place place);
  void leave();  // reports unknown keys
  std::string where_it_belongs(const std::string& name) const;

  // As find(), for a string, substituted; a problem and nullopt if it is something else.
  struct Found {
    std::string text;
    const toml::node* node = nullptr;
  };
  std::optional<Found> find_text(const Key& key, const std::string& hint);
  // The elements of an array of strings, substituted. Nullopt: not there, or not such an array.
  std::optional<std::vector<Found>> find_texts(const Key& key, const std::string& hint);
  std::vector<std::string> distinct(const Key& key, const std::vector<Found>& found,
                                    bool (*suits)(std::string_view), const char* wrong,
                                    const char* hint);
  std::optional<std::string> substituted(const toml::node& node, const std::string& path);
  // A scalar that may stand in the file as itself or as a string with a variable in it.
  template <class T>
  std::optional<T> find_scalar(const Key& key, std::string_view wanted, const std::string& hint,
                               const toml::node** node);

  void accept(const Key& key, const toml::node& node);  // the value is fine: note its place

  Input input_;
  std::vector<Problem>& problems_;
  Places& places_;
  std::vector<Scope> scopes_;
};

}  // namespace troupe::config
