// That clients are served while a minority of the nodes is not there.
#pragma once

#include <functional>
#include <string>

#include "simulations/rehearsal/rehearsal.hpp"

namespace troupe::simulations {

// Declares that no call that ends or is still open when all is healed went without an answer for
// longer than this, from its first attempt on.
void declare_service_goes_on(Rehearsal& sim, Duration longest);

// Keys of a manifest with which no request fails as long as nothing goes wrong.
std::string limits_for_calm(bool calm);

// When clients are to notice nothing of what an operator does.
struct Unnoticed {
  Duration from{};
  Duration until{};
  // From here on nodes end in order: such a one takes no connection then, and a request that is on
  // its way when it closes a connection on which nothing has happened for a second since is lost,
  // as HTTP/1.1 has it.
  Duration stopping{};
  std::string what;  // "n2 was drained"
};

// Declares that no attempt of a call fails in that time, in a run without any fault; if it is calm.
// `when` is asked when the run is over.
void declare_unnoticed(Rehearsal& sim, bool calm, const std::string& name,
                       std::function<Unnoticed(const Past&)> when);

}  // namespace troupe::simulations
