#include "simulations/world/security.hpp"

#include "runtime/security/identity.hpp"

namespace troupe::simulations {

std::string SimSecurity::identity() const {
  if (cluster_.empty()) return {};
  if (!certificate_.identity.empty()) return certificate_.identity;
  return runtime::NodeIdentity{cluster_, machine_}.uri();
}

std::optional<Error> SimSecurity::refuses(const SimSecurity& other) const {
  const auto uri = other.identity();
  if (!other.certificate_.fault.empty())
    return unauthenticated(other.certificate_.fault, "the certificate of " + uri + " is refused");
  const auto identity = runtime::NodeIdentity::parse(uri);
  if (!identity || identity->cluster != cluster_)
    return unauthenticated("IDENTITY_FOREIGN", uri + " is no node of the cluster " + cluster_);
  return std::nullopt;
}

// The accepting side shows its certificate first (RFC 8446, section 2), so where both are wrong the
// connecting side is the one that refuses.
SimHandshake shake_hands(const SimSecurity* connecting, const SimSecurity* accepting,
                         const runtime::Address& address) {
  const auto failed = unavailable("HANDSHAKE_FAILED", address.to_string() + " does not speak TLS");
  if (!connecting && (!accepting || accepting->lets_anyone_in())) return {};
  if (!accepting) return {failed, std::nullopt};
  if (!connecting)
    return {std::nullopt, unavailable("HANDSHAKE_FAILED", "the peer does not speak TLS")};
  const auto refused = [](const Error& why) {
    return unauthenticated("CERTIFICATE_REFUSED", "the other side refused us: " + why.describe());
  };
  if (auto why = connecting->refuses(*accepting)) {
    auto theirs = refused(*why);
    return {std::move(why), std::move(theirs)};
  }
  if (auto why = accepting->refuses(*connecting)) {
    auto ours = refused(*why);
    return {std::move(ours), std::move(why)};
  }
  return {};
}

}  // namespace troupe::simulations
