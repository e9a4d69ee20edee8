// Which failures of nodes the faults of a run explain. What nothing explains is a failed run.
#pragma once

#include <map>
#include <string>

#include "runtime/error.hpp"
#include "simulations/faults/fault.hpp"

namespace troupe::simulations {

// Faults that took place, by the name of their kind.
using Injected = std::map<std::string, std::uint64_t>;

bool took_place(const Injected& injected, std::initializer_list<FaultKind> kinds);

// A node may end by itself, or not start, for this reason.
bool excused(const Error& why, const Injected& injected);

// What was acknowledged may be gone, so that nothing is promised any more: rot or loss of a disk.
inline bool data_was_harmed(const Injected& injected) {
  return took_place(injected, {FaultKind::rot_log, FaultKind::rot_shard, FaultKind::lost_disk});
}

}  // namespace troupe::simulations
