// Contradictions between the sections of a manifest, each part of which is fine by itself.
#pragma once

#include <string>
#include <vector>

#include "config/load.hpp"
#include "config/loading/reader.hpp"

namespace troupe::config {

struct CheckInput {
  const Manifest* manifest = nullptr;
  const Places* places = nullptr;  // what is not in here was not given, or was wrong by itself
  std::string file;
  const LoadOptions* options = nullptr;
  bool complete =
      true;  // false: lines are missing; what could stand in them is not complained about
};

void check(const CheckInput& input, std::vector<Problem>& problems);

// Two settings of a service each of which may be, and not together.
struct WrongPair {
  std::string section;  // "restart"
  std::string first;
  std::string max;
  Complaint complaint;
};
std::vector<WrongPair> wrong_pairs(const Service& service);

}  // namespace troupe::config
