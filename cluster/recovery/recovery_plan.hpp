// Which groups have lost their majority, and from which replica each goes on. Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cluster/recovery.pb.h"
#include "runtime/result.hpp"

namespace troupe::cluster {

struct RecoveryPlan {
  struct Survivor {
    std::string node;
    RecoveryGroup group;
  };
  struct Group {
    std::string service;
    std::uint32_t shard = 0;
    std::vector<std::string> voters;  // nodes
    std::vector<Survivor>
        survivors;           // voters that are left; the first is whom the group goes on from
    std::uint64_t term = 0;  // to begin with
  };
  std::vector<Group> groups;          // by service and shard
  std::vector<std::string> hopeless;  // "SERVICE/SHARD": no voter is left
  std::size_t healthy = 0;            // groups that have a leader or a majority
};

// `views`: of every node that is not lost. A group goes on from the voter with the newest log, the
// later last term before the longer log: it holds all that is committed and in the log of any of
// the others (Ongaro, 3.6.3). Lost is what was committed and none of them has.
// Errors: FAILED_PRECONDITION with LOST_NODE_LIVES (one of the views is linked with it),
// CLUSTERS_DIFFER, or UNAVAILABLE / SHARD_STARTING (a shard cannot tell yet).
Result<RecoveryPlan> plan_recovery(const std::vector<RecoveryView>& views,
                                   const std::vector<std::string>& lost);

// What the node of this view is ordered to do: one act for every group that goes on from it, and
// none if none does. Everything that was seen of it is said again.
RecoveryRequest order_of(const RecoveryPlan& plan, const RecoveryView& view,
                         const std::vector<std::string>& lost);

}  // namespace troupe::cluster
