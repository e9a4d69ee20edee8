// Who votes in a group that is new.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/storage/ids.hpp"

namespace troupe::cluster {

struct RaftVoter {
  std::uint64_t replica = 0;
  std::string node;
};

// The first voters of a group, one on each of these nodes. Their Raft ids are a function of group
// and node, so that nodes that are asked apart agree, and two that were told different nodes do not
// take each other for members. They are given once: a replica that comes later, on the same node
// too, gets an id of its own from the group's log (architecture.md, Identity of replicas).
std::vector<RaftVoter> first_voters(runtime::GroupId group, const std::vector<std::string>& nodes);

}  // namespace troupe::cluster
