// Making and reading the certificates of a cluster: its own authority, one certificate per node
// with the node's identity as its only URI, and the authority's list of revoked certificates (RFC
// 5280).
//
// Keys are EC P-256. Keys and serial numbers come from OpenSSL's random source and so differ from
// run to run: this is for operators' tools and tests, never for a node that is simulated. Times
// come from the caller. All texts are PEM. Any thread.
//
// Errors: INVALID_ARGUMENT for names and addresses that cannot stand in a certificate,
// FAILED_PRECONDITION with reason CREDENTIALS_UNUSABLE for texts that are not what they should be.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/result.hpp"
#include "runtime/security/identity.hpp"
#include "runtime/time.hpp"

namespace troupe::runtime {

struct Validity {
  WallTime from;
  WallTime until;
};

struct KeyPair {
  std::string certificate;
  std::string key;
};

// An authority that signs nodes' certificates and revocation lists, and no other authorities.
Result<KeyPair> make_authority(const std::string& cluster, const Validity& validity);

struct NodeRequest {
  NodeIdentity identity;
  Validity validity;
  std::vector<std::string> dns = {};  // further names, for programs that look at them
  std::vector<std::string> ips = {};
  std::string key = {};  // empty: a new one
};
Result<KeyPair> make_node_certificate(const KeyPair& authority, const NodeRequest& request);

struct CertificateInfo {
  std::string serial;    // hexadecimal, capitals
  std::string cluster;   // the organisation of its subject
  std::string identity;  // the node's URI; empty: none, or an authority's certificate
  bool authority = false;
  Validity validity;
  std::vector<std::string> dns;
  std::vector<std::string> ips;
};
// Of the first certificate of the text.
Result<CertificateInfo> read_certificate(std::string_view pem);

struct RevokedCertificate {
  std::string serial;
  WallTime at;
  friend bool operator==(const RevokedCertificate&, const RevokedCertificate&) = default;
};
struct RevocationList {
  std::uint64_t number = 0;  // grows with every list of an authority
  std::vector<RevokedCertificate> revoked;
  Validity validity;  // peers refuse everyone once their list has run out
};
Result<std::string> make_revocation_list(const KeyPair& authority, const RevocationList& list);
// An error if another authority has signed it.
Result<RevocationList> read_revocation_list(std::string_view pem, std::string_view authority);

}  // namespace troupe::runtime
