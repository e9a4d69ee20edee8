// Identities of simulated streams. There is no cryptography in a world: a machine's certificate
// says outright who its nodes are and what, if anything, peers find wrong with it.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "runtime/platform/network.hpp"

namespace troupe::simulations {

// What a machine's nodes show. May be changed at any time; handshakes from then on see it.
struct SimCertificate {
  std::string identity;  // empty: spiffe://CLUSTER/node/MACHINE, of the credentials' cluster
  std::string fault;     // the reason for which peers refuse it: "CERTIFICATE_EXPIRED"; empty: none
  WallTime valid_until = WallTime::max();
};

// Credentials of a life. No file is read; the cluster alone counts.
class SimSecurity final : public runtime::Security {
 public:
  // The certificate outlives it.
  SimSecurity(const SimCertificate& certificate, std::string cluster, std::string machine)
      : certificate_(certificate), cluster_(std::move(cluster)), machine_(std::move(machine)) {}

  std::string identity() const override;
  WallTime valid_until() const override { return certificate_.valid_until; }

  bool lets_anyone_in() const { return cluster_.empty(); }
  // Why this side does not take the other for a node of its cluster; nullopt: it does.
  std::optional<Error> refuses(const SimSecurity& other) const;

 private:
  const SimCertificate& certificate_;
  const std::string cluster_;
  const std::string machine_;
};

// How a handshake ends at each end; nullopt: well.
struct SimHandshake {
  std::optional<Error> connecting;
  std::optional<Error> accepting;
};
SimHandshake shake_hands(const SimSecurity* connecting, const SimSecurity* accepting,
                         const runtime::Address& address);

}  // namespace troupe::simulations
