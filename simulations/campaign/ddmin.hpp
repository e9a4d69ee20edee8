// Delta debugging: the smallest part of a list that still does what the whole list does.
// A. Zeller, R. Hildebrandt: "Simplifying and Isolating Failure-Inducing Input", IEEE TSE 28
// (2002), algorithm ddmin.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

namespace troupe::simulations {

// Positions in the list, ascending.
using Part = std::vector<std::size_t>;

// Which of the parts, in their order, is the first that does it. Several may be tried at a time.
struct Trial {
  std::optional<std::size_t> first;  // nullopt: none of them
  bool given_up = false;             // a bound was met; `first` is of no use
};
using TryParts = std::function<Trial(const std::vector<Part>& parts)>;

struct Minimum {
  Part part;
  bool proven = false;  // no single element can be left out; false: a bound was met before
};

// Of a list of `size` elements, which does it as a whole. The empty part is tried first, as most
// would like to know. No part is tried twice.
Minimum ddmin(std::size_t size, const TryParts& try_parts);

}  // namespace troupe::simulations
