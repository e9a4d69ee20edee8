// What came of many runs, added up.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "simulations/campaign/crew.hpp"

namespace troupe::simulations {

class Summary {
 public:
  struct Line {  // of one variation
    std::string name;
    std::uint64_t seeds = 0;
    std::uint64_t failures = 0;
    Duration simulated{};
    std::uint64_t commands = 0, acknowledged = 0, refused = 0, unknown = 0;
  };

  // `known_marks` are those that a run could reach.
  Summary(const std::vector<Variation>& variations, const std::vector<std::string>& known_marks);

  void add(const SeedResult& result);

  const std::vector<Line>& lines() const { return lines_; }
  std::uint64_t seeds() const;
  std::uint64_t failures() const;

  const std::map<std::string, std::uint64_t>& injected() const { return injected_; }  // by kind
  const std::map<std::string, std::uint64_t>& marks() const { return marks_; }  // 0: never reached

 private:
  std::vector<Line> lines_;
  std::map<const Variation*, std::size_t> positions_;
  std::map<std::string, std::uint64_t> injected_, marks_;
};

}  // namespace troupe::simulations
