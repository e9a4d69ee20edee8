// TOML text to tables, going on after a syntax error: the statement that does not parse is left
// out and the rest is read, so that one run shows every mistake.
#pragma once

#include <toml++/toml.h>
#include <string>
#include <string_view>
#include <vector>

#include "config/problem.hpp"

namespace troupe::config {

struct Parsed {
  toml::table root;               // of the statements that parse
  std::vector<Problem> problems;  // of the others; at most 20
};

Parsed parse_toml(std::string_view text, const std::string& file);

}  // namespace troupe::config
