#include "cluster/cli/command/reference.hpp"

#include <CLI/CLI.hpp>
#include <sstream>
#include <vector>

namespace troupe::cluster {
namespace {

std::string path_of(const CLI::App& command) {
  return command.get_parent() == nullptr
             ? command.get_name()
             : path_of(*command.get_parent()) + " " + command.get_name();
}

// "NAME" of a word that stands alone, else "--name TYPE".
std::string written(const CLI::Option& option) {
  if (!option.nonpositional()) return option.get_name(true);
  const std::string type = option.get_type_size() == 0 ? "" : option.get_type_name();
  return option.get_name() + (type.empty() ? "" : " " + type);
}

std::string names_of(const std::set<CLI::Option*>& options) {
  std::vector<std::string> names;
  for (const CLI::Option* option : options) names.push_back(option->get_name());
  std::sort(names.begin(), names.end());  // the set is by address
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "`" : ", `") + name + "`";
  return text;
}

std::string remarks(const CLI::Option& option) {
  std::string text = option.get_description();
  if (text.empty() || text.back() != '.') text += '.';
  if (!option.get_default_str().empty()) text += " Default: `" + option.get_default_str() + "`.";
  if (option.get_required()) text += " Required.";
  if (!option.get_needs().empty()) text += " Only with " + names_of(option.get_needs()) + ".";
  if (!option.get_excludes().empty()) text += " Not with " + names_of(option.get_excludes()) + ".";
  return text;
}

// What --help ends with: paragraphs, and examples, which are indented.
std::string footer_of(const CLI::App& command) {
  std::istringstream lines{command.get_footer()};
  std::string text;
  bool fenced = false;
  for (std::string line; std::getline(lines, line);) {
    const bool indented = line.starts_with("  ");
    if (indented != fenced) text += indented ? "```sh\n" : "```\n";
    fenced = indented;
    text += (indented ? line.substr(2) : line) + "\n";
    if (line == "Examples:") text += "\n";
  }
  return text + (fenced ? "```\n" : "");
}

bool shown(const CLI::Option& option) {
  return !option.get_group().empty() && !option.check_name("--help");
}

}  // namespace

std::string to_markdown(const CLI::App& command) {
  const bool top = command.get_parent() == nullptr;
  std::string text = (top ? "## `" : "### `") + path_of(command) + "`\n\n";
  text += command.get_description();
  text += text.ends_with('.') ? "\n" : ".\n";
  std::string rows;
  for (const CLI::Option* option : command.get_options([](const CLI::Option*) { return true; }))
    if (shown(*option)) rows += "| `" + written(*option) + "` | " + remarks(*option) + " |\n";
  if (!rows.empty()) text += "\n| word | meaning |\n| --- | --- |\n" + rows;
  if (const std::string footer = footer_of(command); !footer.empty()) text += "\n" + footer;
  for (const CLI::App* below : command.get_subcommands([](const CLI::App*) { return true; }))
    if (!below->get_group().empty()) text += "\n" + to_markdown(*below);
  return text;
}

}  // namespace troupe::cluster
