// OpenSSL's objects with owners, and texts (PEM) to objects and back. Any thread.
//
// Errors here are CREDENTIALS_UNUSABLE and say what is wrong with a text, not where it comes from:
// callers that read a file put its name before. No message holds any part of a key.
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/result.hpp"
#include "runtime/security/identity.hpp"
#include "runtime/time.hpp"

namespace troupe::runtime {

template <auto Free>
struct FreedBy {
  template <class Object>
  void operator()(Object* object) const {
    Free(object);
  }
};
using X509Ptr = std::unique_ptr<X509, FreedBy<X509_free>>;
using CrlPtr = std::unique_ptr<X509_CRL, FreedBy<X509_CRL_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, FreedBy<EVP_PKEY_free>>;

// Takes the errors that OpenSSL has noted for this thread; what the first of them says.
std::string take_openssl_error();

// FAILED_PRECONDITION with reason CREDENTIALS_UNUSABLE.
Error unusable(std::string message);

// All certificates or lists of a text, at least one.
Result<std::vector<X509Ptr>> parse_certificates(std::string_view pem);
Result<std::vector<CrlPtr>> parse_revocation_lists(std::string_view pem);
// One private key, unencrypted.
Result<KeyPtr> parse_key(std::string_view pem);

std::string to_pem(X509& certificate);
std::string to_pem(X509_CRL& list);
std::string to_pem(EVP_PKEY& private_key);

// The one URI among the certificate's alternative names. UNAUTHENTICATED with reason
// IDENTITY_FOREIGN if it has none, several, or one that is no node's.
Result<NodeIdentity> identity_of(const X509& certificate);

// Hexadecimal, capitals.
std::string serial_of(const X509& certificate);

WallTime to_wall_time(const ASN1_TIME* time);

// "2026-11-26 01:02:03 UTC"
std::string to_text(WallTime time);

}  // namespace troupe::runtime
