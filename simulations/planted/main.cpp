// troupe-planted: the troupe command, with bugs planted in it.
//
//   troupe-planted --list-planted                             name, simulation and what it does
//   troupe-planted simulate ledger --plant log_without_sync --seeds 100
//
// `--plant NAME` may stand anywhere; without it the environment variable TROUPE_PLANT counts. With
// neither it is the troupe command.
#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <vector>

#include "simulations/planted/planted.hpp"

// main() of the troupe command, under another name.
int troupe_main(int argc, char** argv);

namespace {

using troupe::simulations::misplanted;
using troupe::simulations::plant;
using troupe::simulations::plantings;

constexpr int exit_failed = 1;
constexpr int exit_usage = 2;
constexpr const char* variable = "TROUPE_PLANT";

int list() {
  std::size_t names = 0;
  std::size_t simulations = 0;
  for (const auto& one : plantings()) {
    names = std::max(names, one.name.size());
    simulations = std::max(simulations, one.simulation.size());
  }
  const auto column = [](std::string_view text, std::size_t width) {
    return std::string{text} + std::string(width - text.size() + 2, ' ');
  };
  for (const auto& one : plantings())
    std::cout << column(one.name, names) << column(one.simulation, simulations) << one.what << '\n';
  const auto wrong = misplanted();
  for (const auto& line : wrong) std::cerr << "troupe-planted: " << line << '\n';
  return wrong.empty() ? 0 : exit_failed;
}

// Takes `option VALUE` or `option=VALUE` out of the arguments.
std::optional<std::string> take(std::vector<char*>& arguments, const std::string& option) {
  for (auto at = arguments.begin(); at != arguments.end(); ++at) {
    const std::string argument{*at};
    if (argument.starts_with(option + "=")) {
      arguments.erase(at);
      return argument.substr(option.size() + 1);
    }
    if (argument != option) continue;
    const bool has_value = at + 1 != arguments.end();
    const std::string value = has_value ? *(at + 1) : "";
    arguments.erase(at, at + (has_value ? 2 : 1));
    return value;
  }
  return std::nullopt;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<char*> arguments{argv, argv + argc};
  if (argc == 2 && std::string_view{argv[1]} == "--list-planted") return list();
  auto name = take(arguments, "--plant");
  if (!name)
    if (const char* value = std::getenv(variable)) name = value;
  if (name) {
    if (!plant(*name)) {
      std::cerr << "troupe-planted: there is no bug '" << *name
                << "' to plant; troupe-planted --list-planted shows all\n";
      return exit_usage;
    }
    setenv(variable, name->c_str(), 1);  // for processes that this one starts
    std::cerr << "troupe-planted: the bug " << *name << " is planted\n";
  }
  arguments.push_back(nullptr);
  return troupe_main(static_cast<int>(arguments.size()) - 1, arguments.data());
}
