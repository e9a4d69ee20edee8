// A node that is killed, or loses its power, again and again, while others do not hear each other
// through a cut and hear it late: what elections look like when nobody stays long enough to hear
// how they ended. A vote, an acknowledgement or a leadership that its node forgets when its process
// ends shows here.
#pragma once

#include "simulations/models/cluster_manifest.hpp"
#include "simulations/rehearsal/rehearsal.hpp"

namespace troupe::simulations {

// Incidents between these times since the world began: one node of the cluster goes down every few
// hundred milliseconds for tens of them. The others are two sides without a link between them, and
// the links of one side with it are slow.
void declare_crash_loop(Rehearsal& sim, const ClusterShape& shape, RandomStream random,
                        Duration from, Duration to);

}  // namespace troupe::simulations
