// Environment variables inside the strings of a manifest.
//
//   ${NAME}            the value of NAME; a problem if it is not set
//   ${NAME:-default}   the default if NAME is not set or empty
//   $${                the two characters "${"
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/load.hpp"
#include "config/problem.hpp"

namespace troupe::config {

struct Substituted {
  std::string text;
  bool changed = false;               // there was something to substitute
  std::vector<Complaint> complaints;  // every mistake in the string; `text` is then of no use
};

Substituted substitute(std::string_view text, const Environment& environment);

}  // namespace troupe::config
