// The manifest's keys as documentation: what docs/manifest.md holds as tables, generated from the
// schema and the defaults, so that a test can compare the two.
#pragma once

#include <string>
#include <vector>

namespace troupe::config {

struct KeyReference {
  std::string name;
  std::string type;           // "integer", "duration", ...
  std::string default_value;  // as written in a manifest; "required"
  std::string range;          // "1 to 4096", "control, worker"; empty: none beyond the type
  std::string meaning;
  bool policy = false;  // may change while the cluster runs
};

struct SectionReference {
  std::string heading;  // as written in a manifest: "[cluster]", "[[nodes]]"
  std::string meaning;
  std::vector<KeyReference> keys;
  bool policies = false;  // some of them may change while the cluster runs
};

// In the order of the schema.
std::vector<SectionReference> reference();

// One section of docs/manifest.md: heading, meaning and the table of its keys.
std::string to_markdown(const SectionReference& section);

}  // namespace troupe::config
