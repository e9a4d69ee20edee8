// What a node does for its shards when they are split (actors/shard/splits.hpp): knows what the
// directory has ordered, founds the replica of the new shard with one record of the node log, makes
// the new shard known to the node, and tells the directory when a split is over.
//
// Threads: any thread may call anything.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "actors/shard/splits.hpp"
#include "cluster/directory/places.hpp"
#include "cluster/directory/table.hpp"
#include "cluster/hosted.hpp"
#include "cluster/node_shards.hpp"
#include "cluster/router.hpp"
#include "runtime/storage/node_log.hpp"

namespace troupe::cluster {

// Everything pointed to outlives the actors, and their queues.
struct NodeSplitsSpec {
  runtime::Platform* platform = nullptr;
  runtime::NodeLog* log = nullptr;
  Places* places = nullptr;
  Hosted* hosted = nullptr;
  Router* router = nullptr;
  NodeShards* shards = nullptr;
  std::string node;
  // Tells the directory that a split is over.
  std::function<void(const std::string& service, std::uint32_t parent,
                     const wire::ShardSplit& split)>
      over;
};

// When a node starts, with what its copy of the directory says of the shards that were split off,
// those with numbers from `first` on.
void place_split_off(const DirectoryTable& known, const std::string& service, std::uint32_t first,
                     Router& router, Places& places);

class NodeSplits final : public actors::ShardSplits {
 public:
  explicit NodeSplits(NodeSplitsSpec spec) : spec_(std::move(spec)) {}

  // What the directory orders, and which buckets its shards have: the whole table, or what changed
  // in it; the places have been set.
  void take(const DirectoryTable& newer);

  std::optional<actors::SplitOrder> ordered(const actors::ShardSpec& parent) override;
  actors::ShardSpec spec_of(const actors::ShardSpec& parent,
                            const wire::ShardSplit& split) override;
  bool may_found(const actors::ShardSpec& parent, const wire::ShardSplit& split) override;
  void founded(const actors::ShardSpec& parent, const wire::ShardSplit& split,
               std::weak_ptr<runtime::WorkQueue> queue) override;
  void not_founded(const actors::ShardSpec& parent, const wire::ShardSplit& split) override;
  bool know(const actors::ShardSpec& parent, const wire::ShardSplit& split) override;
  bool serves(const actors::ShardSpec& parent, const wire::ShardSplit& split) override;
  bool is_over(const actors::ShardSpec& parent, const wire::ShardSplit& split) override;
  void over(const actors::ShardSpec& parent, const wire::ShardSplit& split) override;

 private:
  using Key = std::pair<std::string, std::uint32_t>;  // service, shard

  const NodeSplitsSpec spec_;
  std::mutex mutex_;
  std::map<Key, actors::SplitOrder> orders_;     // guarded by mutex_
  std::map<std::string, std::uint32_t> shards_;  // guarded by mutex_; how many the directory knows
};

}  // namespace troupe::cluster
