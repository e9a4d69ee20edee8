// That clients are served while a minority of the nodes is not there.
#pragma once

#include "simulations/rehearsal/rehearsal.hpp"

namespace troupe::simulations {

// Declares that no call that ends or is still open when all is healed went without an answer for
// longer than this, from its first attempt on.
void declare_service_goes_on(Rehearsal& sim, Duration longest);

}  // namespace troupe::simulations
