// Which failures of nodes the faults of a run explain. What nothing explains is a failed run.
#pragma once

#include <map>
#include <set>
#include <string>

#include "runtime/error.hpp"
#include "simulations/faults/fault.hpp"

namespace troupe::simulations {

// Faults that took place, by the name of their kind.
using Injected = std::map<std::string, std::uint64_t>;

bool took_place(const Injected& injected, std::initializer_list<FaultKind> kinds);

// A node may end by itself, or not start, for this reason.
bool excused(const Error& why, const Injected& injected);

// Nodes whose data was harmed, by rot or by the loss of a disk. Where they hold so many replicas of
// a shard that what was acknowledged may be gone, nothing is promised any more.
std::set<std::string> harmed_nodes(const FaultPlan& took_place);

}  // namespace troupe::simulations
