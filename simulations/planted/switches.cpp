#include <algorithm>
#include <set>

#include "runtime/rehearsal/planted.hpp"
#include "simulations/planted/planted.hpp"

namespace troupe::runtime {
namespace {

constinit PlantedBug* newest_bug = nullptr;  // filled before main(), in any order

}  // namespace

PlantedBug::PlantedBug(const char* name) : name_(name), next_(newest_bug) {
  newest_bug = this;
}

PlantedBug* PlantedBug::newest() {
  return newest_bug;
}

}  // namespace troupe::runtime

namespace troupe::simulations {

bool plant(std::string_view name) {
  static std::string text;  // both outlive every use
  runtime::Mark* mark = nullptr;
  for (auto* bug = runtime::PlantedBug::newest(); bug != nullptr; bug = bug->next()) {
    if (bug->name() != name) continue;
    if (mark == nullptr) {
      text = "planted: " + std::string{name};
      mark = new runtime::Mark{text.c_str()};  // marks are never destroyed
    }
    bug->switch_on(*mark);
  }
  return mark != nullptr;
}

std::vector<std::string> misplanted() {
  std::set<std::string_view> in_code;
  for (auto* bug = runtime::PlantedBug::newest(); bug != nullptr; bug = bug->next())
    in_code.insert(bug->name());
  std::vector<std::string> lines;
  for (const auto& planting : plantings())
    if (in_code.erase(planting.name) == 0)
      lines.push_back(std::string{planting.name} + " is in the table and not in the code");
  for (const auto name : in_code)
    lines.push_back(std::string{name} + " is in the code and not in the table");
  return lines;
}

}  // namespace troupe::simulations
