// That clients are served while a minority of the nodes is not there.
#pragma once

#include <optional>
#include <string>

#include "simulations/rehearsal/rehearsal.hpp"

namespace troupe::simulations {

// Declares that no call that ends or is still open when all is healed went without an answer for
// longer than this, from its first attempt on.
void declare_service_goes_on(Rehearsal& sim, Duration longest);

// The first attempt of a call that failed in that time, in which nothing goes wrong but that
// `what`; nullopt: none did. From `stopping` on a node ends in order: it takes no connection then,
// and a request that is on its way when it closes a connection on which nothing has happened for a
// second since is lost, as HTTP/1.1 has it.
std::optional<Failure> failed_request(const Past& past, Duration from, Duration until,
                                      Duration stopping, const std::string& what);

}  // namespace troupe::simulations
