// The mesh in the supervision tree: an actor that starts it, keeps its time and stops it.
#pragma once

#include <caf/actor.hpp>
#include <caf/fwd.hpp>
#include <memory>

#include "cluster/mesh/mesh.hpp"

namespace troupe::cluster {

// For ChildSpec::start. However the actor ends, the links end with it; another one starts them
// again, with the same subscribers. The mesh outlives its actors' system.
caf::actor spawn_mesh(caf::actor_system& system, Mesh& mesh);

}  // namespace troupe::cluster
