#include "config/names.hpp"

#include <algorithm>

namespace troupe::config {

bool is_service_name(std::string_view text) {
  bool start = true, dot = false;  // at the start of an identifier; one dot was seen
  for (const char c : text) {
    if (c == '.') {
      if (start) return false;
      start = dot = true;
      continue;
    }
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    if (!letter && (start || c < '0' || c > '9')) return false;
    start = false;
  }
  return dot && !start;
}

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= 63 && text.front() != '-' && text.back() != '-' &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
         });
}

}  // namespace troupe::config
