// How long clients may go on with a command, so that they know what a node may still make of it.
#pragma once

#include "config/manifest.hpp"
#include "runtime/time.hpp"
#include "simulations/faults/fault.hpp"

namespace troupe::simulations {

// How long a request may be on its way or wait in nodes before it runs, and how far clocks may have
// gone apart meanwhile.
Duration lingering(const config::Manifest& manifest, const FaultPlan& plan);

// How long after it began a command may be sent again under its key: the last attempt then runs
// within the window in which the repetition is recognised.
Duration retry_max(const config::Manifest& manifest, Duration lingers);

}  // namespace troupe::simulations
