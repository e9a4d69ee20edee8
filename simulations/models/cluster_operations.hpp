// What the operator of a cluster that changes does, as `troupe` would: orders at any node until one
// carries them out, looks at the directory's table, waits until all is at rest.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cluster/directory/table.pb.h"
#include "simulations/rehearsal/operator.hpp"

namespace troupe::simulations {

using NodeNames = std::vector<std::string>;

// Asks one of the nodes after the other until one has answered; an error is what the directory
// says of the order, and no news of the way.
Task<Result<cluster::DirectoryOutcome>> order_anywhere(Operator& at, NodeNames nodes,
                                                       cluster::DirectoryOrder order);

cluster::DirectoryOrder drain_order(const std::string& node, bool cancel = false);
cluster::DirectoryOrder remove_order(const std::string& node);

// Has a latecomer admitted, and starts it.
Task<void> join(Operator& at, NodeNames nodes, std::string node);

// Orders it, and waits until the node has nothing left; complains if it has none the less.
Task<void> drain(Operator& at, NodeNames nodes, std::string node);

// The service whose shards move.
inline constexpr const char* moved_service = "banking.v1.Accounts";

// Of any of them; nullopt: nobody reaches who keeps it.
Task<std::optional<cluster::DirectoryTable>> table_of(Operator& at, NodeNames nodes);

// One of its shards is split, whichever `draw` means, when no other is; returns when it is.
Task<void> split_a_shard(Operator& at, NodeNames nodes, std::uint64_t draw);

// Some setting of the service whose shards move, or of the balancer, is changed or is to be as the
// manifest says: limits that no client notices.
cluster::DirectoryOrder any_policy(Operator& at);

// Waits until these nodes are up and the only ones that have replicas, each shard as many as its
// factor says, where the directory says, spread evenly unless zones matter more, and the balancer
// has nothing more to do; every node goes by the policies that the directory has. Complains when
// that is not so this long after running() is over.
Task<void> come_to_rest(Operator& at, NodeNames live, bool zones, Duration patience);

}  // namespace troupe::simulations
