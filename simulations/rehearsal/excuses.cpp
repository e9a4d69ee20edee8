#include "simulations/rehearsal/excuses.hpp"

#include <algorithm>

namespace troupe::simulations {

bool took_place(const Injected& injected, std::initializer_list<FaultKind> kinds) {
  return std::ranges::any_of(
      kinds, [&](FaultKind kind) { return injected.contains(std::string{name_of(kind)}); });
}

bool excused(const Error& why, const Injected& injected) {
  using K = FaultKind;
  if (why.reason == "POWER_CUT") return took_place(injected, {K::power_cut, K::power_cut_in_start});
  if (why.reason == "FOLDER_EMPTY") return took_place(injected, {K::lost_disk});
  if (why.code == Code::data_loss)
    return took_place(injected, {K::rot_log, K::rot_shard, K::lost_disk});
  if (why.code == Code::resource_exhausted) return took_place(injected, {K::full_disk});
  // A read, a write or a sync that failed; a node that starts while the disk is full or broken;
  // shards that failed again and again.
  return took_place(injected, {K::read_error, K::write_error, K::sync_error, K::shard_fails});
}

std::set<std::string> harmed_nodes(const FaultPlan& took_place) {
  std::set<std::string> nodes;
  for (const auto& fault : took_place)
    if (harms_data(fault.kind)) nodes.insert(fault.node);
  return nodes;
}

}  // namespace troupe::simulations
