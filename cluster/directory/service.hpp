// The directory as a service: its entity's class, hosted by the control nodes as Raft group 0 and
// registered nowhere, so that no manifest hosts and no gateway serves it.
#pragma once

#include "actors/service.hpp"
#include "cluster/directory/directory.troupe.hpp"
#include "runtime/storage/ids.hpp"

namespace troupe::cluster {

inline constexpr runtime::GroupId directory_group = 0;

// Static.
const actors::Service& directory_service();

}  // namespace troupe::cluster
