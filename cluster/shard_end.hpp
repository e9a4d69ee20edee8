// What is left of a shard that ends on a node which goes on: its past in the node log, its files.
#pragma once

#include <functional>
#include <memory>

#include "actors/shard/shard.hpp"
#include "cluster/hosted.hpp"
#include "runtime/storage/node_log.hpp"

namespace troupe::cluster {

// Entries or a snapshot. What an operation that is under way promises is not seen here, and does
// not count: nothing was acknowledged before the log had it.
bool has_past(const runtime::NodeLog& log, runtime::GroupId group);

// All files of a shard, of every generation.
actors::OtherShardFiles all_files(const actors::ShardSpec& spec);

// For who ends the shard's actor: when the last copy is let go of, the files are removed, behind
// all that the actor has still given to the log and to its queue; then `ended` is called, on a
// thread of the queue. Not at all if the queue is gone by then: the node ends. Platform and log
// outlive the queue.
std::shared_ptr<void> end_ticket(runtime::Platform& platform, runtime::NodeLog& log,
                                 const HostedShard& shard, std::function<void()> ended);

}  // namespace troupe::cluster
