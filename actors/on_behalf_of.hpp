// Who makes a call and whose matter it is. Travels with the call from node to node and is there for
// the handler that it reaches; it is no part of what is stored.
//
// Whoever brings a call into the cluster fills it in and vouches for it: nodes believe each other
// (they are authenticated), never a client. Empty members: not known.
#pragma once

#include <string>

namespace troupe::actors {

struct OnBehalfOf {
  std::string principal;     // who calls, as authenticated: a service or a person
  std::string tenant;        // for which customer
  std::string data_subject;  // whose personal data the call is about
  friend bool operator==(const OnBehalfOf&, const OnBehalfOf&) = default;
};

}  // namespace troupe::actors
