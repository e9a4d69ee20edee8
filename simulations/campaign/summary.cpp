#include "simulations/campaign/summary.hpp"

namespace troupe::simulations {

Summary::Summary(const std::vector<Variation>& variations,
                 const std::vector<std::string>& known_marks) {
  for (const auto& variation : variations) {
    positions_[&variation] = lines_.size();
    lines_.push_back({.name = variation.name});
  }
  for (const auto& mark : known_marks) marks_[mark] = 0;
}

void Summary::add(const SeedResult& result) {
  const Outcome& outcome = result.outcome;
  Line& line = lines_[positions_.at(result.variation)];
  ++line.seeds;
  if (result.failed()) ++line.failures;
  line.simulated += outcome.simulated;
  line.commands += outcome.commands;
  line.acknowledged += outcome.acknowledged;
  line.refused += outcome.refused;
  line.unknown += outcome.unknown;
  for (const auto& [kind, count] : outcome.injected) injected_[kind] += count;
  for (const auto& [mark, count] : outcome.marks) marks_[mark] += count;
}

std::uint64_t Summary::seeds() const {
  std::uint64_t sum = 0;
  for (const auto& line : lines_) sum += line.seeds;
  return sum;
}

std::uint64_t Summary::failures() const {
  std::uint64_t sum = 0;
  for (const auto& line : lines_) sum += line.failures;
  return sum;
}

}  // namespace troupe::simulations
