#include "config/loading/environment.hpp"

namespace troupe::config {
namespace {

bool is_variable_name(std::string_view name) {
  if (name.empty() || (name.front() >= '0' && name.front() <= '9')) return false;
  for (const char c : name)
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'))
      return false;
  return true;
}

// Appends what stands for "${expression}".
void expand(std::string_view expression, const Environment& environment, Substituted& out) {
  const auto colon = expression.find(":-");
  const std::string name{expression.substr(0, colon)};
  if (!is_variable_name(name)) {
    out.complaints.push_back(
        {"\"${" + std::string{expression} + "}\" names no environment variable",
         "write ${NAME} or ${NAME:-default}, or $${ for a literal ${"});
    return;
  }
  const auto value = environment ? environment(name) : std::nullopt;
  if (colon != std::string_view::npos)
    out.text += value && !value->empty() ? *value : std::string{expression.substr(colon + 2)};
  else if (value)
    out.text += *value;
  else
    out.complaints.push_back({"the environment variable " + name + " is not set",
                              "set it, or write ${" + name + ":-default}"});
}

}  // namespace

Substituted substitute(std::string_view text, const Environment& environment) {
  Substituted out;
  while (!text.empty()) {
    const auto dollar = text.find("${");
    if (dollar == std::string_view::npos) break;
    out.changed = true;
    if (dollar > 0 && text[dollar - 1] == '$') {
      out.text += text.substr(0, dollar - 1);
      out.text += "${";
      text.remove_prefix(dollar + 2);
      continue;
    }
    out.text += text.substr(0, dollar);
    const auto close = text.find('}', dollar);
    if (close == std::string_view::npos) {
      out.complaints.push_back({"\"${\" is not closed", "write ${NAME}, or $${ for a literal ${"});
      return out;
    }
    expand(text.substr(dollar + 2, close - dollar - 2), environment, out);
    text.remove_prefix(close + 1);
  }
  out.text += text;
  return out;
}

}  // namespace troupe::config
