// Whether two texts are the same JSON, whatever the order of members.
#pragma once

#include <algorithm>
#include <boost/json/parse.hpp>
#include <cmath>
#include <string>

namespace troupe::cluster::tests {

// Boost.JSON 1.81 reads the last digit of a double by what stands behind it.
inline bool same(const boost::json::value& a, const boost::json::value& b) {
  if (a.is_double() && b.is_double())
    return std::abs(a.get_double() - b.get_double()) <= 1e-15 * std::abs(a.get_double());
  if (a.is_array() && b.is_array()) return std::ranges::equal(a.get_array(), b.get_array(), same);
  if (!a.is_object() || !b.is_object()) return a == b;
  return a.get_object().size() == b.get_object().size() &&
         std::ranges::all_of(a.get_object(), [&](const auto& member) {
           const auto* other = b.get_object().if_contains(member.key());
           return other != nullptr && same(member.value(), *other);
         });
}

// False also if one of them is no JSON.
inline bool same_json(const std::string& a, const std::string& b) {
  boost::json::parse_options deep;
  deep.max_depth = 1000;
  boost::json::error_code wrong;
  const auto first = boost::json::parse(a, wrong, {}, deep);
  if (wrong) return false;
  const auto second = boost::json::parse(b, wrong, {}, deep);
  return !wrong && same(first, second);
}

}  // namespace troupe::cluster::tests
