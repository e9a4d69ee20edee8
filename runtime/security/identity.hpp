// Who a node is, as its certificate says it: one URI in the style of SPIFFE IDs (spiffe.io, "The
// SPIFFE Identity and Verifiable Identity Document"), spiffe://CLUSTER/node/NAME.
#pragma once

#include <string>
#include <string_view>

#include "runtime/result.hpp"

namespace troupe::runtime {

struct NodeIdentity {
  std::string cluster;
  std::string node;

  // "spiffe://shop/node/n1"
  std::string uri() const;

  // INVALID_ARGUMENT with reason IDENTITY_MALFORMED says what is wrong with the text. Cluster and
  // node are DNS labels: 1 to 63 lower-case letters, digits and '-', which is neither first nor
  // last.
  static Result<NodeIdentity> parse(std::string_view uri);

  // The same check of names that are not in a URI yet.
  Result<void> check() const;

  friend bool operator==(const NodeIdentity&, const NodeIdentity&) = default;
};

}  // namespace troupe::runtime
