// A run as an HTML page (simulations/trace_page): what the world recorded, and beside it the log
// and what clients did.
#pragma once

#include <string>

#include "simulations/rehearsal/history.hpp"
#include "simulations/rehearsal/outcome.hpp"
#include "simulations/trace_page/recorder.hpp"
#include "simulations/world/logger.hpp"

namespace troupe::simulations {

// `recorder` was the world's sink; it is empty afterwards. `outcome` as far as it is known: of a
// run that a broken invariant ends, its failure, draw and plan.
std::string page_of_run(const std::string& simulation, const Outcome& outcome, const LogBook& log,
                        const History& history, PageRecorder& recorder);

}  // namespace troupe::simulations
