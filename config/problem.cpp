#include "config/problem.hpp"

namespace troupe::config {

std::string Problem::describe() const {
  std::string text = file + ":" + std::to_string(line) + ":" + std::to_string(column) + ": ";
  if (!path.empty()) text += path + ": ";
  text += message;
  if (!hint.empty()) text += "\n    " + hint;
  return text;
}

std::string in_quotes(std::string_view text) {
  return "\"" + std::string{text} + "\"";
}

}  // namespace troupe::config
