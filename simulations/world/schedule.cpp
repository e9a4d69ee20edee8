#include "simulations/world/schedule.hpp"

#include <algorithm>

namespace troupe::simulations {

std::string_view name_of(Strategy strategy) {
  switch (strategy) {
    case Strategy::fifo:
      return "fifo";
    case Strategy::random:
      return "random";
    case Strategy::priority:
      return "priority";
    case Strategy::starve:
      return "starve";
  }
  return "unknown";
}

std::size_t JobChooser::choose(const std::vector<std::uint64_t>& actors) {
  if (left_ == 0) begin_epoch(actors);
  --left_;
  switch (schedule_.strategy) {
    case Strategy::fifo:
      return 0;
    case Strategy::random:
      return random_.between(0, actors.size() - 1);
    case Strategy::starve: {
      const auto other = std::ranges::find_if(actors, [&](auto actor) { return actor != victim_; });
      return other == actors.end() ? 0 : static_cast<std::size_t>(other - actors.begin());
    }
    case Strategy::priority:
      break;
  }
  const auto first = highest(actors);
  const auto change = std::ranges::find(changes_, left_);
  if (change == changes_.end()) return first;
  // The later, the lower.
  lowered_[actors[first]] = left_;
  return highest(actors);
}

void JobChooser::begin_epoch(const std::vector<std::uint64_t>& actors) {
  left_ = std::max<std::uint32_t>(schedule_.epoch_jobs, 1);
  if (schedule_.strategy == Strategy::starve) {
    victim_ = actors[random_.between(0, actors.size() - 1)];
  }
  if (schedule_.strategy != Strategy::priority) return;
  key_ = random_.next();
  lowered_.clear();
  changes_.clear();
  for (std::uint32_t i = 0; i < schedule_.change_points; ++i) {
    changes_.push_back(static_cast<std::uint32_t>(random_.between(0, left_ - 1)));
  }
}

// Lowered ones have less than 2^32, all others more.
std::uint64_t JobChooser::priority(std::uint64_t actor) const {
  const auto found = lowered_.find(actor);
  if (found != lowered_.end()) return found->second;
  return RandomStream{key_, Domain::schedule, 0, actor}.next() | std::uint64_t{1} << 32;
}

std::size_t JobChooser::highest(const std::vector<std::uint64_t>& actors) const {
  std::size_t best = 0;
  auto best_priority = priority(actors[0]);
  for (std::size_t i = 1; i < actors.size(); ++i) {
    const auto its = priority(actors[i]);
    if (its <= best_priority) continue;
    best = i;
    best_priority = its;
  }
  return best;
}

}  // namespace troupe::simulations
