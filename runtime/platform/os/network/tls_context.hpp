// What a handshake runs with: one reading of a node's credential files, never changed afterwards.
//
// Between nodes TLS 1.3 only. Both sides show a certificate that the cluster's authority has signed
// and that has the identity of one of the cluster's nodes. No session is resumed, so every
// connection passes every check. For anyone, what browsers and other clients of HTTP speak (RFC
// 9325), and HTTP/1.1 by ALPN.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <optional>
#include <string>

#include "runtime/platform/network.hpp"
#include "runtime/security/certificates.hpp"
#include "runtime/security/identity.hpp"
#include "runtime/security/openssl.hpp"

namespace troupe::runtime {

using SslContextPtr = std::unique_ptr<SSL_CTX, FreedBy<SSL_CTX_free>>;

class TlsContext {
 public:
  // FAILED_PRECONDITION with reason CREDENTIALS_UNUSABLE names the file.
  static Result<std::shared_ptr<TlsContext>> read(const CredentialFiles& files);

  SSL_CTX* get() const { return ssl_.get(); }
  const NodeIdentity& own() const { return own_; }
  // For people: the node's identity, or the file of a certificate that is shown to anyone.
  const std::string& name() const { return name_; }
  const Validity& validity() const { return validity_; }
  const std::string& serial() const { return serial_; }
  bool own_revoked() const { return own_revoked_; }

  // Of an SSL made from this context: why the peer's certificate was refused, and who it is
  // otherwise. Set while the handshake runs.
  struct Verdict {
    std::optional<Error> refusal;
    std::string identity;
    bool confirmed = false;  // the accepting side has let us in
  };
  static void watch(SSL* ssl, Verdict* verdict);

 private:
  TlsContext() = default;
  Result<void> load(const CredentialFiles& files);
  Result<void> check_own(const CredentialFiles& files, X509* leaf);
  Result<void> add_lists(const CredentialFiles& files);
  Result<void> load_own(const CredentialFiles& files);
  Result<void> check_shown(const CredentialFiles& files, X509* leaf);
  void configure();
  void configure_for_anyone();
  static int verify(X509_STORE_CTX* store, void* self);
  static int session_made(SSL* ssl, SSL_SESSION* session);
  static Verdict* verdict_of(const SSL* ssl);

  SslContextPtr ssl_;
  std::string cluster_;
  NodeIdentity own_;
  std::string name_;
  Validity validity_;
  std::string serial_;
  bool own_revoked_ = false;
  std::vector<X509Ptr> authorities_;
};

}  // namespace troupe::runtime
