// Looks after the node log from inside the supervision tree: once a second it publishes the log's
// figures and asks shards that hold old segments back to checkpoint. An idle node costs it one
// wake-up a second.
#pragma once

#include <caf/actor.hpp>
#include <caf/fwd.hpp>
#include <functional>

#include "runtime/platform/platform.hpp"
#include "runtime/storage/node_log.hpp"

namespace troupe::cluster {

struct StewardSpec {
  runtime::Platform* platform = nullptr;
  runtime::NodeLog* log = nullptr;
  std::size_t segments_max = 8;  // beyond it, shards that need the oldest ones checkpoint
  // Asks the shard of a group to checkpoint.
  std::function<void(runtime::GroupId)> checkpoint;
  // Publishes whatever else the node counts without a message to its actors.
  std::function<void()> publish;
};

caf::actor spawn_steward(caf::actor_system& system, StewardSpec spec);

}  // namespace troupe::cluster
