// What is wrong with a manifest, where, and what to write instead.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace troupe::config {

// What is wrong with a text, without a place.
struct Complaint {
  std::string message;
  std::string hint;  // what to write instead; empty: nothing better is known
};

struct Problem {
  std::string file;
  std::uint32_t line = 0;    // from 1
  std::uint32_t column = 0;  // from 1, in characters
  std::string path;  // "nodes[1].admin", "services.\"banking.v1.Accounts\".shards"; may be empty
  std::string message;
  std::string hint;  // may be empty

  // As compilers print it: "file:line:column: path: message", the hint on a second line.
  std::string describe() const;

  friend bool operator==(const Problem&, const Problem&) = default;
};

// In double quotes, as messages name a text of the manifest.
std::string in_quotes(std::string_view text);

}  // namespace troupe::config
