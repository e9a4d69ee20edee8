// What nodes have told of themselves and of the shards that they lead, kept by whoever keeps the
// directory and forgotten with that office: what the balancer is asked about.
//
// Of a shard the newest word counts: that of the leader with the highest term, and of its
// configurations the last. A node that reports a shard no more does not lead it any more.
//
// Inside the keeper's actor.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "cluster/directory/balancer.hpp"
#include "cluster/directory/table.hpp"
#include "runtime/time.hpp"

namespace troupe::cluster {

class Reports {
 public:
  void clear() { shards_.clear(); }

  void take(const std::string& node, const DirectoryCall& call, MonotonicTime now);

  // `now` and the table's times are those of the directory.
  BalanceInput input(const DirectoryTable& table, WallTime now,
                     const BalanceOptions& options) const;

 private:
  using Key = std::pair<std::string, std::uint32_t>;  // service and shard
  struct Shard {
    ShardReport newest;
    std::string leader;         // who said it; empty: it leads no more
    std::uint64_t version = 0;  // of the table that it knew
    MonotonicTime at{};
    double commands_per_second = 0;
  };
  std::map<Key, Shard> shards_;
};

}  // namespace troupe::cluster
