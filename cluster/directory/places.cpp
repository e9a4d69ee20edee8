#include "cluster/directory/places.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "cluster/group_of.hpp"

namespace troupe::cluster {

bool Places::set(ShardPlaces places) {
  const std::set<std::string> distinct{places.nodes.begin(), places.nodes.end()};
  if (distinct.empty() || distinct.size() != places.nodes.size() || distinct.size() > nodes_max)
    return false;
  const runtime::GroupId group = group_of(places.service, places.shard);
  std::vector<std::function<void(runtime::GroupId)>> listeners;
  {
    const std::lock_guard guard{mutex_};
    const auto [known, added] = shards_.try_emplace(group);
    if (!added && places.version <= known->second.version) return false;
    const bool changed = added || known->second.version == 0 || known->second.nodes != places.nodes;
    known->second = std::move(places);
    if (changed) listeners = listeners_;
  }
  for (const auto& listener : listeners) listener(group);
  return true;
}

std::optional<ShardPlaces> Places::of(runtime::GroupId group) const {
  const std::lock_guard guard{mutex_};
  const auto found = shards_.find(group);
  if (found == shards_.end()) return std::nullopt;
  return found->second;
}

void Places::take(const DirectoryTable& newer) {
  for (const DirectoryShard& shard : newer.shards())
    set({shard.service(),
         shard.shard(),
         {shard.nodes().begin(), shard.nodes().end()},
         shard.version()});
}

std::vector<ShardPlaces> Places::all() const {
  const std::lock_guard guard{mutex_};
  std::vector<ShardPlaces> all;
  for (const auto& [group, places] : shards_) all.push_back(places);
  return all;
}

void Places::subscribe(std::function<void(runtime::GroupId)> listener) {
  const std::lock_guard guard{mutex_};
  listeners_.push_back(std::move(listener));
}

}  // namespace troupe::cluster
