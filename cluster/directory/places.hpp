// Where the replicas of every shard are to be, as this node knows it for the time being: the wish.
// One object per node. Who decides sets it, those who make it true read it and are told of changes.
//
// At the start it holds where the manifest placed the shards when the cluster was made, as version
// 0: nobody has spoken yet, nobody has to leave a place. A committed configuration of the group,
// not this, says who its members are.
//
// Threads: any thread may call anything. Owned by the node; outlives those that it tells.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "cluster/directory/table.pb.h"
#include "runtime/storage/ids.hpp"

namespace troupe::cluster {

struct ShardPlaces {
  std::string service = {};
  std::uint32_t shard = 0;
  std::vector<std::string> nodes =
      {};                     // one replica on each; the first is the one that should lead
  std::uint64_t version = 0;  // of who decides; rises with each change of this shard
};

class Places {
 public:
  static constexpr std::size_t nodes_max = 5;  // of one shard

  Places() = default;
  Places(const Places&) = delete;
  Places& operator=(const Places&) = delete;

  // False, and nothing happens: the version is not above the known one, or the nodes are none, too
  // many, or not distinct. The first one of a shard may have version 0. Tells the listeners before
  // it returns, unless the nodes are the same in the same order and somebody had spoken before.
  bool set(ShardPlaces places);

  // What the directory's table says of these shards.
  void take(const DirectoryTable& newer);

  // Nullopt: no such shard is known.
  std::optional<ShardPlaces> of(runtime::GroupId group) const;
  std::vector<ShardPlaces> all() const;  // by group

  // Told of changes, on the thread that made them; several at once when several threads set. What
  // is true by then is asked for with of(). For as long as this lives; before the first change.
  void subscribe(std::function<void(runtime::GroupId)> listener);

 private:
  mutable std::mutex mutex_;  // guards what follows
  std::map<runtime::GroupId, ShardPlaces> shards_;
  std::vector<std::function<void(runtime::GroupId)>> listeners_;
};

}  // namespace troupe::cluster
