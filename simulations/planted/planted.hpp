// The bugs that can be planted in the product (runtime/rehearsal/planted.hpp): what each does, and
// which simulation should find it. They are in the program troupe-planted alone.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace troupe::simulations {

struct Planting {
  std::string_view name;        // as in TROUPE_PLANTED(name)
  std::string_view simulation;  // that should find it, as `troupe simulate` takes it
  std::string_view what;        // what the product does then
};

// Sorted by name.
const std::vector<Planting>& plantings();

// Before any thread and any work. False: there is no such bug.
bool plant(std::string_view name);

// What does not fit between the table and the code of this program: one line for each bug that only
// one of them has. Empty: nothing.
std::vector<std::string> misplanted();

}  // namespace troupe::simulations
