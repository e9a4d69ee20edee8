#include "simulations/campaign/ddmin.hpp"

#include <algorithm>
#include <iterator>
#include <set>

namespace troupe::simulations {
namespace {

// As equal in size as can be.
std::vector<Part> divided(const Part& whole, std::size_t pieces) {
  std::vector<Part> parts;
  for (std::size_t i = 0; i < pieces; ++i) {
    const auto begin = static_cast<std::ptrdiff_t>(whole.size() * i / pieces);
    const auto end = static_cast<std::ptrdiff_t>(whole.size() * (i + 1) / pieces);
    parts.emplace_back(whole.begin() + begin, whole.begin() + end);
  }
  return parts;
}

Part without(const Part& whole, const Part& part) {
  Part rest;
  std::set_difference(whole.begin(), whole.end(), part.begin(), part.end(),
                      std::back_inserter(rest));
  return rest;
}

class Search {
 public:
  Search(std::size_t size, const TryParts& try_parts) : try_parts_(try_parts) {
    for (std::size_t i = 0; i < size; ++i) whole_.push_back(i);
  }

  Minimum run() {
    if (const auto found = first_of({Part{}})) return {{}, true};
    std::size_t pieces = 2;
    while (whole_.size() >= 2 && !given_up_) {
      const auto parts = divided(whole_, pieces);
      if (const auto found = first_of(parts)) {
        whole_ = parts[*found];
        pieces = 2;
        continue;
      }
      std::vector<Part> rests;
      for (const auto& part : parts) rests.push_back(without(whole_, part));
      if (const auto found = first_of(rests)) {
        whole_ = rests[*found];
        pieces = std::max<std::size_t>(pieces - 1, 2);
        continue;
      }
      if (pieces == whole_.size()) break;
      pieces = std::min(pieces * 2, whole_.size());
    }
    return {whole_, !given_up_};
  }

 private:
  // Position in `parts`; those that failed to do it before are not tried again.
  std::optional<std::size_t> first_of(const std::vector<Part>& parts) {
    if (given_up_) return std::nullopt;
    std::vector<Part> fresh;
    std::vector<std::size_t> positions;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (!tried_.insert(parts[i]).second) continue;
      fresh.push_back(parts[i]);
      positions.push_back(i);
    }
    if (fresh.empty()) return std::nullopt;
    const Trial trial = try_parts_(fresh);
    given_up_ = trial.given_up;
    if (given_up_ || !trial.first) return std::nullopt;
    // Parts behind the first were perhaps not tried.
    for (std::size_t i = *trial.first + 1; i < fresh.size(); ++i) tried_.erase(fresh[i]);
    return positions[*trial.first];
  }

  const TryParts& try_parts_;
  Part whole_;
  std::set<Part> tried_;
  bool given_up_ = false;
};

}  // namespace

Minimum ddmin(std::size_t size, const TryParts& try_parts) {
  return Search{size, try_parts}.run();
}

}  // namespace troupe::simulations
